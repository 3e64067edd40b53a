import { type FileHandle, link } from 'node:fs/promises';
import { systemCode } from '../../errors.ts';
import type { Digest } from '../../vault/digest.ts';
import type { Evidence, FileIdentity } from '../../vault/evidence.ts';
import type { SourceFile } from '../../vault/subject.ts';
import type { TakeInOptions } from '../../vault/vault.ts';
import { copyIn } from './copy-in.ts';
import type { Desk } from './desk.ts';
import { identityOf, sameContent, sameInode, unchanged } from './file-identity.ts';
import { FileChanged, hashWhole, openRegular } from './hashing.ts';
import { assertDigest, onSource } from './land.ts';
import { looksWhole } from './looks-whole.ts';
import { OpenedSource, wrongSize } from './opened-source.ts';
import { blobIdentity, clearTemporary, rehash, remember, settle, shelve } from './shelf.ts';

/** Brings one file in, as `VaultWriter.takeIn` says. Throws `FileChanged` when it changes meanwhile. */
export async function takeIn(desk: Desk, file: SourceFile, options: TakeInOptions): Promise<Evidence> {
  await using source = await OpenedSource.of(desk, file);
  if (options.way === 'copy' || file.bytes.kind !== 'file') return await copyIn(desk, source, options);
  // Before it is linked, which changes its ctime.
  const receipt = await source.receipt();
  const temporary = desk.newName();
  try {
    if (await linked(desk, file.bytes.path, temporary)) {
      await using handle = await openRegular(temporary);
      const identity = identityOf(await handle.stat({ bigint: true }));
      // The name may lead to another file than the one that is held open. Then that one is copied.
      if (!source.identity || sameInode(source.identity, identity)) {
        if (identity.size !== file.size) throw wrongSize(file, identity.size);
        const proven = file.proven || (receipt !== undefined && receipt.digest === file.digest);
        const hashedAt = receipt?.digest === file.digest ? receipt?.hashedAt : undefined;
        return await takeOver({ desk, file, temporary, handle, identity, proven, hashedAt, options });
      }
    }
    await clearTemporary(temporary);
    return await copyIn(desk, source, options);
  } finally {
    await clearTemporary(temporary);
  }
}

/** Makes `temporary` a further name of the source. False where that can't be, so that it has to be copied. */
async function linked(desk: Desk, path: string, temporary: string): Promise<boolean> {
  try {
    await link(path, temporary);
    return true;
  } catch (error) {
    switch (systemCode(error)) {
      case 'ENOENT':
      case 'EXDEV':
      case 'EMLINK':
      case 'EOPNOTSUPP':
      case 'ENOSYS':
        return false;
      case 'EPERM':
      case 'EACCES':
        return linkedByHands(desk, path, temporary);
      default:
        throw error;
    }
  }
}

/** Without a helper, what can be read is copied. */
async function linkedByHands(desk: Desk, path: string, temporary: string): Promise<boolean> {
  const hands = await desk.hands?.().catch(() => undefined);
  return hands ? hands.link(path, temporary) : false;
}

interface Linked {
  readonly desk: Desk;
  readonly file: SourceFile;
  /** A name of the live file, in `ingest/`. */
  readonly temporary: string;
  readonly handle: FileHandle;
  readonly identity: FileIdentity;
  readonly proven: boolean;
  readonly hashedAt: Date | undefined;
  readonly options: TakeInOptions;
}

/** The linked file becomes the blob, once it is known or found to be what it should be. */
async function takeOver(linked: Linked): Promise<Evidence> {
  const { desk, file, temporary, handle, identity, options } = linked;
  const { digest, hashed, hashedAt } = await knownDigest(linked);
  return desk.alone(digest, async () => {
    const there = await blobIdentity(desk, digest);
    const before = desk.found.get(digest);
    if (there && before && unchanged(before.blob, there) && !sameInode(there, identity)) {
      // Another file of the same content came in first, and what was found of it is still to hold.
      return before.how === 'rehashed' ? before : rehash(desk, digest, file.size, options);
    }
    await settle(handle, desk.owner);
    await handle.sync();
    const now = identityOf(await handle.stat({ bigint: true }));
    if (!sameContent(identity, now)) throw new FileChanged('it changed while it was taken in');
    // rename(2) does nothing when both names are the same file's.
    const same = there !== undefined && sameInode(there, now);
    if (same) await clearTemporary(temporary);
    const blob = same
      ? identityOf(await handle.stat({ bigint: true }))
      : await shelve(desk, temporary, handle, digest);
    if (hashed) await remember(desk, handle, digest, blob, hashedAt);
    const evidence = { digest, size: file.size, how: 'same-inode' as const, blob, hashed };
    return hashedAt ? { ...evidence, hashedAt } : evidence;
  });
}

interface Known {
  readonly digest: Digest;
  readonly hashed: boolean;
  /** When, if not now. */
  readonly hashedAt?: Date | undefined;
}

async function knownDigest({ desk, file, handle, proven, hashedAt, options }: Linked): Promise<Known> {
  if (file.digest && proven) {
    options.onProgress?.(file.size);
    return { digest: file.digest, hashed: true, hashedAt };
  }
  // A copy that the vault has never gives way to bytes that nobody looked at.
  const unhashed = file.digest && options.unhashed && !(await blobIdentity(desk, file.digest));
  if (file.digest && unhashed && (await looksWhole(handle, file.size))) {
    options.onProgress?.(file.size);
    return { digest: file.digest, hashed: false };
  }
  const { digest } = await onSource(file.path, () => hashWhole(handle, options));
  if (file.digest) assertDigest(digest, file.digest, file.path);
  return { digest, hashed: true };
}
