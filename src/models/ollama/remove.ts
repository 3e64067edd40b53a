import { AixclError } from '../../errors.ts';
import { hexOf } from '../../vault/digest.ts';
import type { VerifiedBackup } from '../../vault/verified-backup.ts';
import type { KeptModel } from '../keeper.ts';
import type { OllamaPlace } from './keeper.ts';
import { blobTitle, digestOfBytes, keptModels, manifestTitle, type OllamaModel } from './kept.ts';
import { blobsOf } from './manifest.ts';
import { assertReachable, shownName } from './name.ts';
import type { OllamaStore, StoredManifest } from './store.ts';

/**
 * Removes one model through Ollama's API, or, when its manifest can't be used, by taking the manifest alone off its name. What stands there
 * must be what the proof's snapshot holds.
 */
export async function removeModel(
  { store, api, signal }: OllamaPlace,
  path: string,
  model: KeptModel,
  proof: VerifiedBackup,
): Promise<void> {
  const manifests = await store.manifests();
  const found = keptModels(manifests, await store.blobs()).find(({ stored }) => stored.path === path);
  if (!found) {
    throw new AixclError('notFound', `${model.subject.name} is no longer in Ollama's store`, {
      hint: 'aixcl models list',
    });
  }
  if (found.held !== null) throw heldBack(found);
  if (!found.stored.manifest) {
    assertSaved(found, proof);
    await setManifestAside(store, found, proof, signal);
    return;
  }
  assertReachable(found.subject.name);
  const damaged = found.damage !== null || proof.snapshot.damage !== null;
  await assertSameOllama({ store, api, signal }, { ...found, damaged }, manifests);
  assertSaved(found, proof);
  await proof.assertCovers(model.subject);
  await api.delete(found.subject.name);
  await assertGone(store, found);
}

function heldBack(model: OllamaModel): AixclError {
  return new AixclError('refused', `${model.subject.name} can't be removed now: ${model.held}`, {
    hint: 'aixcl models verify --repair, or remove the model whose manifest is damaged: its blobs stay',
  });
}

/** What stands there was saved: the manifest byte for byte, and every file that goes. */
function assertSaved(model: OllamaModel, proof: VerifiedBackup): void {
  const { files, id } = proof.snapshot;
  if (model.stored.unread) {
    throw new AixclError('refused', `${model.subject.name} can't be saved: ${model.damage}`, {
      hint: 'aixcl models verify',
    });
  }
  const title = manifestTitle(model.stored.path);
  const manifest = files.find(({ path }) => path === title);
  if (manifest?.digest !== digestOfBytes(model.stored.content)) {
    throw new AixclError('refused', `${model.subject.name} changed after it was saved as ${id}`, {
      hint: 'Run the command again.',
    });
  }
  const missing = Array.isArray(proof.snapshot.facts.missing) ? proof.snapshot.facts.missing : [];
  for (const { path } of model.files) {
    if (files.some((file) => file.path === path) || missing.includes(path)) continue;
    throw new AixclError('verification', `${path} of ${model.subject.name} is not in the backup ${id}`, {
      hint: 'Run the command again.',
    });
  }
}

/**
 * That the Ollama which answers keeps its models in the store that was saved: else it would delete another's. It does not list a model whose
 * config is damaged; then all that it lists has to be in the store.
 */
async function assertSameOllama(
  { api, store }: OllamaPlace,
  model: OllamaModel & { readonly damaged: boolean },
  manifests: readonly StoredManifest[],
): Promise<void> {
  const listed = [...(await api.digests())].map(([name, digest]) => ({ name: name.toLowerCase(), digest }));
  const isIn = (stored: StoredManifest, { name, digest }: (typeof listed)[number]) =>
    name === shownName(stored.name).toLowerCase() && digestsOf(stored).includes(digest);
  const found = listed.filter(({ name }) => name === model.subject.name.toLowerCase());
  const same =
    found.length > 0
      ? found.some((one) => isIn(model.stored, one))
      : model.damaged && listed.every((one) => manifests.some((stored) => isIn(stored, one)));
  if (same) return;
  throw new AixclError(
    'refused',
    `the Ollama at ${api.address} does not have the ${model.subject.name} that lies in ${store.place}: it keeps its models elsewhere, or is changing them`,
    { hint: 'aixcl service restart ollama' },
  );
}

/** Ollama hashes what its decoder read of a manifest, which may end before the last line end. */
function digestsOf({ content }: StoredManifest): string[] {
  const bytes = Buffer.from(content);
  const trimmed = Buffer.from(bytes.toString('utf8').trimEnd());
  return [bytes, trimmed].map((each) => hexOf(digestOfBytes(each)));
}

async function setManifestAside(
  store: OllamaStore,
  model: OllamaModel,
  proof: VerifiedBackup,
  signal: AbortSignal,
): Promise<void> {
  const writer = await store.write(proof.snapshot.operation, signal);
  try {
    await proof.assertCovers(model.subject);
    await writer.dropManifest(model.stored.path);
  } finally {
    await writer[Symbol.asyncDispose]();
  }
}

async function assertGone(store: OllamaStore, model: OllamaModel): Promise<void> {
  const manifests = await store.manifests();
  if (manifests.some(({ path }) => path === model.stored.path)) {
    throw new AixclError(
      'unexpected',
      `Ollama said that it deleted ${model.subject.name}, which is still there`,
      {
        hint: 'aixcl service logs ollama',
      },
    );
  }
  const blobs = await store.blobs();
  const own = new Map(blobsOf(model.stored.manifest!).map((layer) => [layer.digest, layer]));
  for (const { name, manifest } of manifests) {
    for (const { digest, size } of manifest ? blobsOf(manifest) : []) {
      const before = own.get(digest);
      // Damaged before, or not this model's: none of its doing.
      if (!before || blobs.get(digest)?.size === size || model.damage !== null) continue;
      throw new AixclError(
        'verification',
        `with ${model.subject.name} Ollama deleted ${blobTitle(digest)}, which ${shownName(name)} needs; the vault has it`,
        { hint: `aixcl models verify ${shownName(name)} --repair` },
      );
    }
  }
}
