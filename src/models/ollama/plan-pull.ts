import type { Step } from '../../plan/step.ts';
import { blobsOf, type OllamaLayer, type OllamaManifest } from './manifest.ts';
import { type OllamaName, shownName } from './name.ts';
import type { RemoteModel } from './registry.ts';
import type { StoredBlob, StoredManifest } from './store.ts';

/**
 * Steps of `models add` for Ollama. `add` pulls a model that is not installed; `update` pulls over one that is, which is saved first; `keep`
 * leaves one that is what its registry has, once its bytes are known to be right; `refuse` leaves one that can't be updated without a
 * danger to others.
 */
export type PullStep = Step<{
  add: Pull;
  update: Pull;
  keep: Pull & { readonly proven: boolean };
  refuse: { readonly name: OllamaName; readonly hint: string };
}>;

export interface Pull {
  readonly name: OllamaName;
  /** By plain http. */
  readonly insecure: boolean;
  /** Blobs that are not in the store; null when nobody knows which the registry has. */
  readonly missing: readonly OllamaLayer[] | null;
  /** Blobs in the store that are not whole, with the size that they have. Ollama would take them for whole. */
  readonly cut: readonly OllamaLayer[];
}

export interface ObservedPull {
  readonly name: OllamaName;
  readonly remote: Exclude<RemoteModel, { kind: 'absent' }>;
  /** `--insecure`. */
  readonly insecure: boolean;
  /** What is installed under this name, in any case. */
  readonly installed: StoredManifest | undefined;
  readonly blobs: ReadonlyMap<string, StoredBlob>;
  /** Other manifests of the store that can't be read. */
  readonly unreadable: readonly string[];
}

export interface PullPlan {
  readonly steps: readonly PullStep[];
  /** Bytes still to come, each blob counted once. */
  readonly needed: number;
}

export function planPull(orders: readonly ObservedPull[]): PullPlan {
  const coming = new Map<string, number>();
  const steps = orders.map((order): PullStep => {
    const step = stepFor(order);
    if (step.kind === 'add' || step.kind === 'update') {
      for (const { digest, size } of step.missing ?? []) coming.set(digest, size);
    }
    return step;
  });
  return { steps, needed: [...coming.values()].reduce((sum, size) => sum + size, 0) };
}

function stepFor({ name, remote, insecure, installed, blobs, unreadable }: ObservedPull): PullStep {
  const wanted = remote.kind === 'found' ? blobsOf(remote.manifest) : null;
  const missing =
    wanted === null ? null : wanted.filter(({ digest, size }) => blobs.get(digest)?.size !== size);
  const cut = (missing ?? []).flatMap((layer) => {
    const size = blobs.get(layer.digest)?.size;
    return size === undefined ? [] : [{ ...layer, size }];
  });
  const pull: Pull = {
    name: installed?.name ?? name,
    insecure: insecure || (remote.kind === 'found' && remote.insecure),
    missing,
    cut,
  };
  if (!installed) return { kind: 'add', because: 'asked for', ...pull };
  const same =
    remote.kind === 'found' && installed.manifest && sameBlobs(remote.manifest, installed.manifest);
  if (same && missing?.length === 0) {
    const proven = wanted?.every(({ digest }) => blobs.get(digest)?.proven) === true;
    return { kind: 'keep', because: 'up to date', ...pull, proven };
  }
  // Nothing that is whole goes away: the manifest stays what it is.
  if (same) return { kind: 'add', because: `${missing?.length} of its blobs are missing or cut`, ...pull };
  const [bad] = unreadable;
  if (bad !== undefined) {
    return {
      kind: 'refuse',
      because: `the manifest of ${bad} can't be read, so that an update could take blobs that it needs`,
      name: pull.name,
      hint: `aixcl models verify --repair ${bad}`,
    };
  }
  const because = !installed.manifest
    ? `its manifest can't be read: ${installed.problem}`
    : remote.kind === 'found'
      ? `${name.host} has another version`
      : `${name.host} does not answer here (${remote.why}), so Ollama may bring another version`;
  return { kind: 'update', because, ...pull };
}

function sameBlobs(a: OllamaManifest, b: OllamaManifest): boolean {
  const list = ({ config, layers }: OllamaManifest) =>
    [config, ...layers].map((layer) => `${layer?.mediaType} ${layer?.digest}`).join('\n');
  return list(a) === list(b);
}

/** As people know it. */
export function targetOf(step: PullStep): string {
  return shownName(step.name);
}
