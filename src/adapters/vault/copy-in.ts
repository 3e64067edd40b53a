import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { AixclError, reasonOf } from '../../errors.ts';
import { shellWord } from '../../shell-word.ts';
import { type Digest, digestOf } from '../../vault/digest.ts';
import type { Evidence } from '../../vault/evidence.ts';
import type { TakeInOptions } from '../../vault/vault.ts';
import type { Desk } from './desk.ts';
import { sameInode, unchanged } from './file-identity.ts';
import { FileChanged, hashOpen, hashWhole, openRegular } from './hashing.ts';
import { assertDigest, chunksOf, land, makeNew, onSource, reflink } from './land.ts';
import { type OpenedSource, wrongSize } from './opened-source.ts';
import { setAside } from './quarantine.ts';
import { blobIdentity, clearTemporary, rehash, remember, settle, shelve } from './shelf.ts';

/** Brings in bytes of the vault's own, or finds that it has them. Throws `FileChanged` when the source changes meanwhile. */
export async function copyIn(desk: Desk, source: OpenedSource, options: TakeInOptions): Promise<Evidence> {
  const known = await knownDigest(desk, source, options);
  if (!known) return copy(desk, source, options);
  return desk.alone(known, async () => {
    const there = await heldAlready(desk, source, known, options);
    return there ?? copy(desk, source, options, known);
  });
}

/**
 * What the vault may have already. A file that it seems to have is hashed where it lives unless it was before: "saved" is to mean these
 * bytes, not those that the name stood for once. Undefined: not known, and not worth finding out before it is copied.
 */
async function knownDigest(
  desk: Desk,
  source: OpenedSource,
  options: TakeInOptions,
): Promise<Digest | undefined> {
  const { digest, proven, size, path } = source.file;
  if (digest && proven) return digest;
  const receipt = await source.receipt();
  if (receipt && (digest ?? receipt.digest) === receipt.digest) return receipt.digest;
  const held = digest ? (await blobIdentity(desk, digest))?.size === size : await desk.hasBlobOf(size);
  if (!held) return digest ?? undefined;
  const hashed = await hashOfSource(source, options);
  if (!hashed) return digest ?? undefined;
  if (digest) assertDigest(hashed, digest, path);
  await source.remember(hashed);
  return hashed;
}

/** Undefined where it can't be read in place: a file of another user, which a helper copies. */
async function hashOfSource(
  { file, handle }: OpenedSource,
  options: TakeInOptions,
): Promise<Digest | undefined> {
  if (handle) return (await onSource(file.path, () => hashWhole(handle, options))).digest;
  const { bytes } = file;
  if (bytes.kind === 'file') return undefined;
  const hash = createHash('sha256');
  let done = 0;
  for await (const chunk of bytes.kind === 'memory' ? [bytes.content] : await bytes.open()) {
    options.signal.throwIfAborted();
    hash.update(chunk);
    done += chunk.length;
    options.onProgress?.(done);
  }
  if (done !== file.size) throw wrongSize(file, done);
  return digestOf(hash.digest('hex'));
}

/** Evidence of a blob that the vault has of its own; one that is damaged is set aside. Undefined: it has to be copied. */
async function heldAlready(
  desk: Desk,
  source: OpenedSource,
  digest: Digest,
  options: TakeInOptions,
): Promise<Evidence | undefined> {
  const blob = await blobIdentity(desk, digest);
  if (!blob) return undefined;
  // One inode with the file that stays: what is written into that would be written into the vault.
  if (source.identity && sameInode(blob, source.identity)) return undefined;
  const { size } = source.file;
  const before = desk.found.get(digest);
  if (before?.how === 'rehashed' && unchanged(before.blob, blob)) {
    options.onProgress?.(size);
    return before;
  }
  const receipt = options.recheck ? undefined : await desk.receipts.find(blob);
  if (blob.size === size && receipt?.digest === digest) {
    options.onProgress?.(size);
    return { digest, size, how: 'trusted', blob, hashed: true, hashedAt: receipt.hashedAt };
  }
  try {
    return await rehash(desk, digest, size, options);
  } catch (error) {
    if (!(error instanceof AixclError && error.code === 'verification')) throw error;
    await setAside(desk, digest, error.message);
    return undefined;
  }
}

/** `expected` is given by whoever works on that blob alone. */
async function copy(
  desk: Desk,
  source: OpenedSource,
  options: TakeInOptions,
  expected?: Digest,
): Promise<Evidence> {
  const { path, size } = source.file;
  const temporary = desk.newName();
  try {
    await using handle = await makeTemporary(desk, source, temporary);
    const digest = await fill(source, handle, options);
    if (expected) assertDigest(digest, expected, path);
    await source.assertUnchanged();
    await source.remember(digest);
    const commit = async (): Promise<Evidence> => {
      // Another file of the same content came in meanwhile, and what was found of it is still to hold.
      const there = !expected && desk.found.has(digest) && (await heldAlready(desk, source, digest, options));
      if (there) return there;
      const blob = await shelve(desk, temporary, handle, digest);
      await remember(desk, handle, digest, blob);
      return { digest, size, how: 'rehashed', blob, hashed: true };
    };
    return await (expected ? commit() : desk.alone(digest, commit));
  } finally {
    await clearTemporary(temporary);
  }
}

/** The new file in `ingest/`: whole and synced where blocks were shared or a helper copied, else empty. Read-only and the owner's. */
async function makeTemporary(
  desk: Desk,
  { file, handle }: OpenedSource,
  temporary: string,
): Promise<FileHandle> {
  const { bytes } = file;
  if (bytes.kind === 'file') {
    const cloned = handle !== undefined && (await reflink(handle, bytes.path, temporary));
    if (!handle) await copiedByHands(desk, bytes.path, temporary);
    if (cloned || !handle) {
      const made = await openRegular(temporary);
      await settle(made, desk.owner);
      await made.sync();
      return made;
    }
  }
  const made = await makeNew(temporary);
  await settle(made, desk.owner);
  return made;
}

async function copiedByHands(desk: Desk, path: string, temporary: string): Promise<void> {
  const hands = await desk.hands?.().catch((error: unknown) => {
    throw new AixclError(
      'refused',
      `${path} can't be read by this user, nor by a helper container: ${reasonOf(error)}`,
      { hint: `ls -l ${shellWord(path)}`, cause: error },
    );
  });
  await hands?.copy(path, temporary);
}

/** Writes what is not there yet; answers the hash of what landed. */
async function fill({ file, handle }: OpenedSource, to: FileHandle, options: TakeInOptions): Promise<Digest> {
  const { bytes, size } = file;
  const { size: there } = await to.stat();
  if (there > 0 || (bytes.kind === 'file' && !handle)) {
    if (there !== size) throw new FileChanged(`it has ${there} bytes, where ${size} were expected`);
    return hashOpen(to, size, options);
  }
  if (bytes.kind === 'memory') return land(once(bytes.content), to, size, options);
  if (bytes.kind === 'file') return land(chunksOf(handle as FileHandle, file.path), to, size, options);
  try {
    return await land(await bytes.open(), to, size, options);
  } catch (error) {
    if (!(error instanceof FileChanged)) throw error;
    const message = `${file.path} is damaged: ${error.message}`;
    throw new AixclError('verification', message, { hint: 'aixcl models verify', cause: error });
  }
}

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array> {
  if (content.length > 0) yield content;
}
