import { existsSync } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DirectoryStore } from '../../../adapters/ollama/store/directory-store.ts';
import { blobsFolder, manifestsFolder } from '../../../adapters/ollama/store/layout.ts';
import { entriesOf, ifThere } from '../../../adapters/ollama/store/manifest-paths.ts';
import type { Proofs } from '../../../adapters/ollama/store/proofs.ts';
import { AixclError } from '../../../errors.ts';
import { planBringOver } from '../../../models/ollama/bring-over-plan.ts';
import { keptModels, type OllamaModel } from '../../../models/ollama/kept.ts';
import { blobsOf } from '../../../models/ollama/manifest.ts';
import { shownName } from '../../../models/ollama/name.ts';
import type { OllamaStore, StoredBlob, StoredManifest } from '../../../models/ollama/store.ts';
import type { VolumeSummary } from '../../../stack/engine.ts';
import type { Digest } from '../../../vault/digest.ts';
import { ollamaOf } from '../../../wiring/ollama.ts';
import type { Context } from '../../context.ts';
import { ifKnown } from './examination.ts';

/** An Ollama's store by names and sizes. */
export interface StoreSight {
  readonly place: string;
  readonly models: readonly OllamaModel[];
  readonly manifests: readonly StoredManifest[];
  readonly blobs: ReadonlyMap<Digest, StoredBlob>;
  /** Its folder `models`, where it could be looked into as one. */
  readonly folder: string | null;
}

/** Nothing is taken from it but names and sizes, so nobody asks whether a file was hashed. */
const unproven: Proofs = { holds: async () => false, remember: async () => {} };

export async function sightOfFolder(folder: string, place = folder): Promise<StoreSight> {
  const store = new DirectoryStore({
    models: folder,
    proofs: unproven,
    writer: async () => {
      throw new AixclError('refused', `${folder} is only looked at`);
    },
  });
  return { ...(await sightOf(store)), place, folder };
}

async function sightOf(store: OllamaStore): Promise<StoreSight> {
  const [manifests, blobs] = await Promise.all([store.manifests(), store.blobs()]);
  return { place: store.place, models: keptModels(manifests, blobs), manifests, blobs, folder: null };
}

/** The store of this home. One inside the engine is looked into where the engine keeps it, if this user may. */
export async function sightOfOwnStore(
  context: Context,
  volumes: () => Promise<readonly VolumeSummary[]>,
): Promise<StoreSight> {
  const ollama = ollamaOf(context);
  const known = await ifKnown(ollama);
  const usual = join(context.home.ollama, 'models');
  // Where the engine hangs, nobody says where the store is; one in its usual place is there all the same.
  if (!known && existsSync(usual)) return sightOfFolder(usual);
  const { store } = known ?? (await ollama);
  if (!store.distant) return sightOfFolder(store.place).catch(() => sightOf(store));
  const name = /^volume (.+)$/.exec(store.place)?.[1];
  const volume = name === undefined ? undefined : (await volumes()).find((each) => each.name === name);
  const folder = volume && (await modelsFolderIn(volume.mountpoint).catch(() => undefined));
  return folder ? sightOfFolder(folder, store.place) : sightOf(store);
}

/** Where in a volume models may lie: it may be mounted as Ollama's folder, as its folder of models, or as the home around both. */
const places = ['models', '', '.ollama/models'];

/** The folder `models` of an Ollama in `root`; undefined: there is none. Throws where this user may not look. */
export async function modelsFolderIn(root: string): Promise<string | undefined> {
  // Of a folder that is not there nobody can say what is in it.
  await stat(root);
  for (const place of places) {
    const folder = join(root, place);
    const both = await Promise.all(
      [manifestsFolder, blobsFolder].map((name) => ifThere(stat(join(folder, name)))),
    );
    if (both.every((found) => found?.isDirectory())) return folder;
  }
  return undefined;
}

export interface Partial {
  readonly bytes: number;
  readonly modified: Date;
}

/** Files of downloads that did not come to an end: `sha256-HEX-partial`, `sha256-HEX-partial-N`. */
export async function partialsIn(folder: string): Promise<Partial[]> {
  const blobs = join(folder, blobsFolder);
  const names = (await entriesOf(blobs)).map(({ name }) => name);
  const found = await Promise.all(
    names
      .filter((name) => /^sha256-[0-9a-f]{64}-partial(-\d+)?$/.test(name))
      .map(async (name) => ifThere(lstat(join(blobs, name)))),
  );
  return found.flatMap((stats) =>
    stats?.isFile() ? [{ bytes: stats.blocks * 512, modified: stats.mtime }] : [],
  );
}

/** Bytes of all whole blobs. */
export function bytesOf({ blobs }: StoreSight): number {
  return [...blobs.values()].reduce((sum, { size }) => sum + size, 0);
}

/** What of `theirs` is in `ours` too, byte for byte as far as names tell. */
export interface Comparison {
  /** Models that are. */
  readonly here: number;
  /** Bytes of those that are not. */
  readonly missingBytes: number;
  /** Names of those that are not, as another model has their name here. */
  readonly taken: readonly string[];
}

export function compare(theirs: StoreSight, ours: StoreSight): Comparison {
  const plan = planOf(theirs, ours);
  const missing = new Map<Digest, number>();
  for (const { kind, model } of plan) {
    if (kind === 'keep') continue;
    const layers = model.stored.manifest ? blobsOf(model.stored.manifest) : [];
    for (const { digest } of layers) missing.set(digest, theirs.blobs.get(digest)?.size ?? 0);
  }
  return {
    here: plan.filter(({ kind }) => kind === 'keep').length,
    missingBytes: [...missing.values()].reduce((sum, size) => sum + size, 0),
    taken: plan.flatMap((step) =>
      step.kind === 'leave' && step.code === 'refused' ? shownName(step.model.stored.name) : [],
    ),
  };
}

/** Models of `theirs` that are whole in `ours`. */
export function sameHere(theirs: StoreSight, ours: StoreSight): OllamaModel[] {
  return planOf(theirs, ours).flatMap(({ kind, model }) => (kind === 'keep' ? model : []));
}

function planOf(theirs: StoreSight, ours: StoreSight) {
  return planBringOver({ theirs: theirs.models, ours: ours.manifests, there: ours.blobs });
}
