import { statfs } from 'node:fs/promises';
import { AixclError } from '../../errors.ts';
import { shellWord } from '../../shell-word.ts';

/** Bytes below which a program that writes models finds a disk full. */
const next = 1024 * 1024;

/**
 * What made a program of others fail: it tells of a full disk in its own words, or not at all. To be asked while what it wrote still lies there.
 */
export async function fullDiskOr(error: unknown, path: string): Promise<unknown> {
  const space = await statfs(path).catch(() => undefined);
  if (!space || space.bavail * space.bsize >= next) return error;
  return new AixclError('noSpace', `The disk of ${path} is full`, {
    hint: `df -h ${shellWord(path)}`,
    cause: error,
  });
}
