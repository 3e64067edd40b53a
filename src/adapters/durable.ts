import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode } from '../errors.ts';

/**
 * Files that are there wholly or not at all, also after a power cut: temporary name, fsync, rename, fsync of the directory. What root makes
 * belongs to the owner of the models directory, as llama-server and the page run as that user.
 */
export interface Ownership {
  readonly uid: number;
  readonly gid: number;
}

/** Whom new files have to be given to; undefined when that is ourselves. */
export async function ownershipOf(directory: string): Promise<Ownership | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const { uid, gid } = await stat(directory);
  return uid === 0 && gid === 0 ? undefined : { uid, gid };
}

export async function give(handle: FileHandle, owner: Ownership | undefined): Promise<void> {
  if (owner) await handle.chown(owner.uid, owner.gid);
}

/**
 * Makes `path` and what is missing above it, each durable and the owner's. One by one: Node's own recursive mkdir says ENOENT where the disk is
 * full or can only be read.
 */
export async function makeDirectory(path: string, owner: Ownership | undefined): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    switch (systemCode(error)) {
      case 'EEXIST':
        if ((await stat(path)).isDirectory()) return;
        throw error;
      case 'ENOENT':
        if (dirname(path) === path) throw error;
        await makeDirectory(dirname(path), owner);
        return makeDirectory(path, owner);
      default:
        throw error;
    }
  }
  await using handle = await open(path);
  await give(handle, owner);
  await handle.sync();
  await syncDirectory(dirname(path));
}

/** Replaces `path` by `content`. The temporary file lies beside it, under a name that begins with a dot. */
export async function replaceFile(
  path: string,
  content: string,
  owner: Ownership | undefined,
): Promise<void> {
  const temporary = join(dirname(path), `.tmp-${randomBytes(6).toString('hex')}`);
  try {
    await writeNew(temporary, content, owner);
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await syncDirectory(dirname(path));
}

async function writeNew(path: string, content: string, owner: Ownership | undefined): Promise<void> {
  await using handle = await open(path, 'wx', 0o644);
  await handle.writeFile(content);
  await give(handle, owner);
  await handle.sync();
}

export async function syncDirectory(path: string): Promise<void> {
  await using handle = await open(path);
  await handle.sync();
}
