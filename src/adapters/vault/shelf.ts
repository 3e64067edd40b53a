import { constants } from 'node:fs';
import { type FileHandle, lstat, open, rename, unlink } from 'node:fs/promises';
import { AixclError, systemCode } from '../../errors.ts';
import type { Digest } from '../../vault/digest.ts';
import type { Evidence, FileIdentity } from '../../vault/evidence.ts';
import type { WorkOptions } from '../../vault/vault.ts';
import { give, type Ownership } from '../durable.ts';
import type { Desk } from './desk.ts';
import { identityOf, sameContent, unchanged } from './file-identity.ts';
import { FileChanged, hashWhole } from './hashing.ts';

/** The blobs of a vault: giving bytes that landed their name, and looking at what is there. */

/** Bytes from which on to hash a file takes longer than to keep a receipt. */
export const worthAReceipt = 256 * 1024;

/** Which file a blob is; undefined when there is none. */
export async function blobIdentity(desk: Desk, digest: Digest): Promise<FileIdentity | undefined> {
  const stats = await lstat(desk.layout.blob(digest), { bigint: true }).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  return stats && identityOf(stats);
}

/** Makes an open file read-only and the owner's. What may not be changed stays as it is: it can be read, or it would not be open. */
export async function settle(handle: FileHandle, owner: Ownership | undefined): Promise<void> {
  try {
    await give(handle, owner);
    await handle.chmod(0o444);
  } catch (error) {
    if (systemCode(error) !== 'EPERM') throw error;
  }
}

/**
 * Gives the synced file at `temporary`, open as `handle`, the name of its blob, over what had that name; `desk.names` is to be synced before
 * anything rests on it. Answers which file the blob is now.
 */
export async function shelve(
  desk: Desk,
  temporary: string,
  handle: FileHandle,
  digest: Digest,
): Promise<FileIdentity> {
  await rename(temporary, desk.layout.blob(digest));
  desk.names.changed();
  return identityOf(await handle.stat({ bigint: true }));
}

/** Hashes a blob where it lies. Throws `verification` when it is missing, of another size, or wrong. */
export async function rehash(
  desk: Desk,
  digest: Digest,
  size: number,
  options: WorkOptions,
): Promise<Evidence> {
  await using handle = await openBlob(desk, digest);
  const { size: found } = await handle.stat();
  if (found !== size) throw damaged(digest, `it has ${found} bytes, where ${size} were expected`);
  const hashed = await hashWhole(handle, options).catch((error: unknown) => {
    if (error instanceof FileChanged) throw damaged(digest, error.message);
    if (systemCode(error) === 'EIO') throw damaged(digest, 'the disk fails to read it');
    throw error;
  });
  if (hashed.digest !== digest) {
    await desk.receipts.forget(hashed.identity);
    throw damaged(digest, `its bytes hash to ${hashed.digest}`);
  }
  await remember(desk, handle, digest, hashed.identity);
  return { digest, size, how: 'rehashed', blob: hashed.identity, hashed: true };
}

/** Writes a receipt for a blob that was hashed, if it is so large that this spares anything. Blobs are synced before they get their name. */
export async function remember(
  desk: Desk,
  handle: FileHandle,
  digest: Digest,
  identity: FileIdentity,
  hashedAt?: Date,
): Promise<void> {
  if (identity.size < worthAReceipt) return;
  await desk.receipts.recordSynced(handle, desk.layout.blob(digest), identity, digest, hashedAt);
}

async function openBlob(desk: Desk, digest: Digest): Promise<FileHandle> {
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    return await open(desk.layout.blob(digest), flags);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw damaged(digest, 'it is missing');
    if (systemCode(error) === 'ELOOP') throw damaged(digest, 'it is a link');
    throw error;
  }
}

function damaged(digest: Digest, why: string): AixclError {
  return new AixclError('verification', `the blob ${digest} of the vault is damaged: ${why}`, {
    hint: 'aixcl vault verify',
  });
}

/** As `VaultWriter.assertUnchanged` says; what the blobs are called is on the disk then. */
export async function assertBlobsUnchanged(desk: Desk, evidence: readonly Evidence[]): Promise<void> {
  await desk.names.sync();
  for (const { digest, how, blob } of evidence) {
    const there = await blobIdentity(desk, digest);
    // A file that the vault took over loses its other name on the way, which changes its ctime.
    const same = how === 'same-inode' ? sameContent : unchanged;
    if (there && same(there, blob)) continue;
    throw new AixclError(
      'verification',
      `the blob ${digest} of the vault is not the file any more that was found right`,
      { hint: 'Run the command again.' },
    );
  }
}

export async function clearTemporary(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error;
  });
}
