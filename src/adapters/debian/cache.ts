import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AixclError } from '../../errors.ts';
import { removeTree } from './mounts.ts';

/**
 * Answers `target`, a file or directory, made by `make` at a scratch path beside it unless it is there already: so it is there complete, or
 * not at all. Two processes may make it side by side; one of the two results stays. Scratch paths of processes that died go first.
 *
 * Throws `noSpace` where less than `space` bytes are free.
 */
export async function cached(
  target: string,
  space: number,
  make: (scratch: string) => Promise<void>,
): Promise<{ made: boolean }> {
  if (await exists(target)) return { made: false };
  const folder = dirname(target);
  await mkdir(folder, { recursive: true });
  await sweep(folder);
  await requireSpace(folder, space);
  const scratch = join(folder, `${process.pid}-${randomBytes(4).toString('hex')}.partial`);
  try {
    await make(scratch);
    await sync(scratch);
    await rename(scratch, target).catch(async (error: unknown) => {
      if (!(await exists(target))) throw error;
    });
    await sync(folder);
  } finally {
    await removeTree(scratch);
  }
  return { made: true };
}

async function requireSpace(folder: string, space: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= space) return;
  const [needed, free] = [space, bavail * bsize].map((bytes) => `${Math.ceil(bytes / 1e6)} MB`);
  throw new AixclError('noSpace', `Building needs ${needed} in ${folder}, where ${free} are free`, {
    hint: 'Free some space, or name another folder in XDG_CACHE_HOME.',
  });
}

async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const [, pid] = /^(\d+)-[0-9a-f]{8}\.partial/.exec(name) ?? [];
    if (pid && !isAlive(Number(pid))) await removeTree(join(folder, name));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function sync(path: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    await handle.sync();
  } finally {
    await handle?.close();
  }
}
