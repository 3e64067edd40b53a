import prettyBytes from 'pretty-bytes';
import { AixclError } from '../../errors.ts';
import type { Step } from '../../plan/step.ts';
import { shellWord } from '../../shell-word.ts';
import type { Digest } from '../../vault/digest.ts';
import { digestOfBytes, type OllamaModel } from './kept.ts';
import { blobsOf, type OllamaLayer } from './manifest.ts';
import { manifestPath, type OllamaName, sameName, shownName } from './name.ts';
import type { StoredBlob, StoredManifest } from './store.ts';

interface OfModel {
  readonly model: OllamaModel;
}

/** What becomes of one model of another store. */
export type BringStep = Step<{
  /** It comes into our store. `copied`: blobs that are not there yet, nor come with a model before it. */
  bring: OfModel & { readonly copied: readonly OllamaLayer[] };
  /** It is there already, byte for byte. */
  keep: OfModel;
  /** It stays where it is alone, and `hint` says what would let it come. */
  leave: OfModel & { readonly code: 'refused' | 'verification'; readonly hint: string };
}>;

/** Two stores at one moment. */
export interface ObservedStores {
  /** Models of the other store. */
  readonly theirs: readonly OllamaModel[];
  readonly ours: readonly StoredManifest[];
  /** Blobs of ours; of a store that can't be listed, at least those that a model on either side names. */
  readonly there: ReadonlyMap<Digest, StoredBlob>;
}

/** Names by their manifests' paths, in lower case, that this very run brought: what they became over there meanwhile goes over them. */
export type Brought = ReadonlySet<string>;

/** Nothing of ours is ever written over: a name that is taken by another model stays that one's. */
export function planBringOver(
  { theirs, ours, there }: ObservedStores,
  brought: Brought = new Set(),
): BringStep[] {
  const names = ours.map(({ name, content }) => ({ name, content }));
  const coming = new Set<Digest>();
  const isMissing = ({ digest, size }: OllamaLayer) => there.get(digest)?.size !== size;
  return theirs.map((model): BringStep => {
    const { name, content, manifest } = model.stored;
    const shown = shownName(name);
    const standing = names.find((one) => sameName(one.name, name));
    const same = standing !== undefined && Buffer.from(standing.content).equals(content);
    if (standing && !same && !brought.has(key(name))) {
      return { kind: 'leave', model, code: 'refused', ...clash(standing) };
    }
    if (!manifest || model.damage !== null) {
      const because = `it is damaged: ${model.damage ?? 'its manifest can not be used'}`;
      return { kind: 'leave', model, code: 'verification', because, hint: `ollama pull ${shown}` };
    }
    const layers = blobsOf(manifest);
    if (same && !layers.some(isMissing)) return { kind: 'keep', model, because: 'the same is here already' };
    const copied = layers.filter((layer) => isMissing(layer) && !coming.has(layer.digest));
    for (const { digest } of copied) coming.add(digest);
    if (!standing) names.push({ name, content });
    const because = !standing
      ? 'it is not here'
      : same
        ? 'it is not whole here'
        : 'it changed since it was copied';
    return { kind: 'bring', model, copied, because };
  });
}

/** As `Brought` has it. */
export function key(name: OllamaName): string {
  return manifestPath(name).toLowerCase();
}

function clash({ name, content }: Pick<StoredManifest, 'name' | 'content'>): {
  because: string;
  hint: string;
} {
  const shown = shownName(name);
  const digest = content.length > 0 ? ` (${digestOfBytes(content).slice('sha256:'.length, 19)})` : '';
  return {
    because: `another ${shown}${digest} is here`,
    hint: `To have this one: aixcl models remove ${shown}, which keeps what is here in the vault; then run it again. To have both, first: ollama cp ${shown} OTHER`,
  };
}

export function bytesToCopy(steps: readonly BringStep[]): number {
  return steps
    .flatMap((step) => (step.kind === 'bring' ? step.copied : []))
    .reduce((sum, { size }) => sum + size, 0);
}

export interface OurDisk {
  /** For people. */
  readonly place: string;
  readonly space: { readonly free: number } | null;
}

/** Throws `noSpace` when what has to be copied does not fit. */
export function assertRoomFor(steps: readonly BringStep[], { place, space }: OurDisk): void {
  const needed = bytesToCopy(steps);
  if (!space || needed <= space.free) return;
  throw new AixclError(
    'noSpace',
    `${prettyBytes(needed)} are needed on the disk of ${place}, which has ${prettyBytes(space.free)} free; nothing was copied`,
    { hint: place.startsWith('/') ? `df -h ${shellWord(place)}` : 'docker system df -v' },
  );
}
