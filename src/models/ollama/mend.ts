import { readFile } from 'node:fs/promises';
import { AixclError } from '../../errors.ts';
import type { Digest } from '../../vault/digest.ts';
import { sameSubject } from '../../vault/subject.ts';
import type { Vault, VaultWriter, WorkOptions } from '../../vault/vault.ts';
import type { DamagedFile, KeptModel, MendOptions } from '../keeper.ts';
import { digestOfTitle } from './kept.ts';
import { blobsOf, parseManifest } from './manifest.ts';
import { manifestOf, ofFile, ofVault, setAside } from './restore.ts';
import type { BlobSource, OllamaStore } from './store.ts';

/** Sets one damaged file of a model aside and puts the right bytes in its place, where there are any. */
export async function mendFile(
  store: OllamaStore,
  model: KeptModel,
  damaged: DamagedFile,
  options: MendOptions,
): Promise<void> {
  const digest = digestOfTitle(damaged.path);
  if (digest) await mendBlob(store, model, digest, damaged, options);
  else await mendManifest(store, model, damaged, options);
}

async function mendBlob(
  store: OllamaStore,
  model: KeptModel,
  digest: Digest,
  damaged: DamagedFile,
  options: MendOptions,
): Promise<void> {
  const { writer, signal, onProgress } = options;
  const size = model.files.find(({ path }) => path === damaged.path)?.size;
  if (size === undefined) throw new Error(`${damaged.path} is no file of ${model.subject.name}`);
  const work: WorkOptions = { signal, ...(onProgress && { onProgress }) };
  // Whether there are right bytes is known before anything is touched.
  const right = await rightBytes(digest, size, options);
  const into = await store.write('mend', signal);
  try {
    if ((await store.blobs([digest])).has(digest)) {
      await setAside({ store, into, writer }, digest, damaged.why);
    }
    if (right) await into.putBlob(digest, size, right, work);
  } finally {
    await into[Symbol.asyncDispose]();
  }
}

async function rightBytes(
  digest: Digest,
  size: number,
  { vault, writer, fetched, signal }: MendOptions,
): Promise<BlobSource | undefined> {
  if ((await vault.blobs()).has(digest) && (await isRight(writer, digest, size, signal))) {
    return ofVault(vault, digest, size);
  }
  return fetched === null ? undefined : ofFile(fetched);
}

async function isRight(
  writer: VaultWriter,
  digest: Digest,
  size: number,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await writer.rehash(digest, size, { signal });
    return true;
  } catch (error) {
    if (error instanceof AixclError && error.code === 'verification') return false;
    throw error;
  }
}

/** The newest manifest of this model that the vault holds and that can be used, or the fetched one. */
async function mendManifest(
  store: OllamaStore,
  model: KeptModel,
  damaged: DamagedFile,
  { vault, writer, fetched, signal }: MendOptions,
): Promise<void> {
  const stored = (await store.manifests()).find(({ path }) => damaged.path === `manifests/${path}`);
  if (!stored) throw new Error(`${damaged.path} is no manifest of ${model.subject.name}`);
  const content =
    (await savedManifest(vault, model)) ?? (fetched === null ? undefined : await readFile(fetched));
  if (content && typeof parseManifest(Buffer.from(content).toString('utf8')) === 'string') {
    throw new AixclError('verification', `what was fetched for ${damaged.path} is no manifest`);
  }
  const into = await store.write('mend', signal);
  try {
    const bytes = { kind: 'memory', content: stored.content } as const;
    const file = { path: damaged.path, size: stored.content.length, digest: null, proven: false, bytes };
    await writer.quarantine(file, { move: false, why: damaged.why });
    if (content) await into.putManifest(stored.name, content);
    else await into.dropManifest(stored.path);
  } finally {
    await into[Symbol.asyncDispose]();
  }
}

async function savedManifest(vault: Vault, model: KeptModel): Promise<Uint8Array | undefined> {
  for (const snapshot of (await vault.contents()).snapshots) {
    if (!sameSubject(snapshot.subject, model.subject) || snapshot.damage !== null) continue;
    const { digest, size } = manifestOf(snapshot);
    const pieces: Buffer[] = [];
    for await (const piece of await vault.openBlob(digest, size)) pieces.push(piece as Buffer);
    const content = Buffer.concat(pieces);
    const parsed = parseManifest(content.toString('utf8'));
    if (typeof parsed === 'string') continue;
    const held = new Set(snapshot.files.map((file) => file.digest));
    if (blobsOf(parsed).every((layer) => held.has(layer.digest))) return content;
  }
  return undefined;
}
