import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import prettyBytes from 'pretty-bytes';
import { AixclError } from '../../errors.ts';
import { shellWord } from '../../shell-word.ts';
import type { Digest } from '../../vault/digest.ts';
import type { Snapshot, SnapshotFile } from '../../vault/snapshot.ts';
import type { Subject } from '../../vault/subject.ts';
import type { Vault, VaultWriter, WorkOptions } from '../../vault/vault.ts';
import type { VerifiedBackup } from '../../vault/verified-backup.ts';
import type { RestoreOptions } from '../keeper.ts';
import { blobTitle, digestOfBytes, digestOfTitle, manifestTitle } from './kept.ts';
import { blobsOf, parseManifest } from './manifest.ts';
import { nameFromPath, parseOllamaName, sameName, shownName } from './name.ts';
import type { BlobSource, OllamaStore, StoredManifest, StoreWriter } from './store.ts';

/** Puts a snapshot of an Ollama model back: every blob, hashed where it landed, and last its manifest, byte for byte. */
export async function restoreModel(
  store: OllamaStore,
  snapshot: Snapshot,
  options: RestoreOptions,
): Promise<void> {
  const { vault, writer, signal } = options;
  const parts = await partsOf(vault, snapshot);
  const wanted = parseOllamaName(options.target.name);
  const standing = (await store.manifests()).find(({ name }) => sameName(name, wanted));
  // Ollama takes names that differ in case alone for the same: the one that stands there keeps its spelling.
  const target = standing?.name ?? wanted;
  if (standing) assertKept(standing, options.standing);
  await assertRoom(store, parts.blobs);

  const into = await store.write(options.operation, signal);
  try {
    let done = 0;
    for (const { digest, size } of parts.blobs) {
      const onProgress = (bytes: number) => options.onProgress?.(done + bytes);
      await putRight({ store, into, writer }, { digest, size }, ofVault(vault, digest, size), {
        signal,
        onProgress,
      });
      done += size;
      options.onProgress?.(done);
    }
    if (standing && options.standing !== 'nothing') await options.standing.assertCovers(subjectOf(standing));
    await into.putManifest(target, parts.manifest);
  } finally {
    await into[Symbol.asyncDispose]();
  }
}

/** As it is spelled where it stands, which is what was saved. */
function subjectOf({ name }: StoredManifest): Subject {
  return { runtime: 'ollama', name: shownName(name) };
}

interface Parts {
  readonly manifest: Uint8Array;
  readonly blobs: readonly { readonly digest: Digest; readonly size: number }[];
}

/** What makes up the model; throws `verification` when the snapshot does not hold all of it. */
async function partsOf(vault: Vault, snapshot: Snapshot): Promise<Parts> {
  const file = manifestOf(snapshot);
  const manifest = await readManifest(vault, file);
  const parsed = parseManifest(Buffer.from(manifest).toString('utf8'));
  if (typeof parsed === 'string') throw incomplete(snapshot, `its manifest can't be used: ${parsed}`);
  const blobs = blobsOf(parsed).map(({ digest, size }) => {
    const held = snapshot.files.find(({ path }) => path === blobTitle(digest));
    if (!held) throw incomplete(snapshot, `${blobTitle(digest)} is missing`);
    if (held.digest !== digest || held.size !== size) {
      throw incomplete(snapshot, `${blobTitle(digest)} was damaged when it was saved`);
    }
    return { digest, size };
  });
  return { manifest, blobs };
}

/** The one file of a snapshot that is its manifest. */
export function manifestOf(snapshot: Snapshot): SnapshotFile {
  const found = snapshot.files.filter(
    ({ path }) => path.startsWith('manifests/') && nameFromPath(path.slice('manifests/'.length)),
  );
  const strange = snapshot.files.find((file) => !found.includes(file) && !digestOfTitle(file.path));
  if (strange) throw incomplete(snapshot, `${JSON.stringify(strange.path)} is no part of an Ollama model`);
  const [file] = found;
  if (!file || found.length > 1) throw incomplete(snapshot, `it has ${found.length} manifests`);
  return file;
}

async function readManifest(vault: Vault, { digest, size }: SnapshotFile): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  for await (const piece of await vault.openBlob(digest, size)) pieces.push(piece as Buffer);
  const content = Buffer.concat(pieces);
  if (digestOfBytes(content) !== digest) {
    throw new AixclError('verification', `the vault's blob ${digest} holds other bytes`, {
      hint: 'aixcl vault verify',
    });
  }
  return content;
}

function incomplete(snapshot: Snapshot, why: string): AixclError {
  return new AixclError('verification', `${snapshot.id} is not a whole Ollama model: ${why}`, {
    hint: `aixcl backups list --model ${snapshot.subject.name}`,
  });
}

/** What stands under the name was saved as it stands there. */
function assertKept(standing: StoredManifest, proof: VerifiedBackup | 'nothing'): void {
  const title = manifestTitle(standing.path);
  const saved = proof !== 'nothing' && proof.snapshot.files.find(({ path }) => path === title);
  if (saved && saved.digest === digestOfBytes(standing.content)) return;
  throw new AixclError('refused', `${title} stands in Ollama's store and was not saved as it is`, {
    hint: 'Run the command again.',
  });
}

async function assertRoom(store: OllamaStore, blobs: Parts['blobs']): Promise<void> {
  const [there, space] = await Promise.all([store.blobs(blobs.map(({ digest }) => digest)), store.space()]);
  const missing = blobs.filter(({ digest, size }) => there.get(digest)?.size !== size);
  const needed = missing.reduce((sum, { size }) => sum + size, 0);
  if (!space || needed <= space.free) return;
  throw new AixclError(
    'noSpace',
    `${prettyBytes(needed)} are needed on the disk of Ollama's store ${store.place}, which has ${prettyBytes(space.free)} free`,
    { hint: store.place.startsWith('/') ? `df -h ${shellWord(store.place)}` : 'docker system df -v' },
  );
}

export interface Putting {
  readonly store: OllamaStore;
  readonly into: StoreWriter;
  readonly writer: VaultWriter;
}

/**
 * Puts a blob in its place; wrong bytes that stand there are kept in quarantine first. `assertRight`: throws where the new bytes are no better,
 * asked before anything is moved; absent: they are known to be right.
 */
export async function putRight(
  { store, into, writer }: Putting,
  { digest, size }: { readonly digest: Digest; readonly size: number },
  bytes: BlobSource,
  options: WorkOptions,
  assertRight?: () => Promise<void>,
): Promise<void> {
  const there = await store.blobs([digest]);
  if (there.has(digest)) {
    try {
      if (!(await into.putBlob(digest, size, bytes, options))) return;
    } catch (error) {
      if (!(error instanceof AixclError) || error.code !== 'verification') throw error;
      await assertRight?.();
      await setAside({ store, into, writer }, digest, error.message);
    }
  }
  await into.putBlob(digest, size, bytes, options);
}

/** Moves what stands under a blob's name into quarantine. */
export async function setAside({ store, into, writer }: Putting, digest: Digest, why: string): Promise<void> {
  const opened = await store.open([{ digest, size: null }]);
  try {
    for (const file of opened.files) {
      await writer.quarantine({ ...file, digest: null, proven: false }, { move: false, why });
    }
  } finally {
    await opened[Symbol.asyncDispose]();
  }
  await into.dropBlob(digest);
}

export function ofVault(vault: Vault, digest: Digest, size: number): BlobSource {
  return { path: vault.blobPath(digest), open: () => vault.openBlob(digest, size) };
}

export function ofFile(path: string): BlobSource {
  return { path, open: async (): Promise<Readable> => createReadStream(path) };
}
