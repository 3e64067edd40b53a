import { statfs } from 'node:fs/promises';
import { AixclError } from '../../errors.ts';
import { shellWord } from '../../shell-word.ts';

/** Bytes below which a program that writes models finds a disk full. */
const next = 1024 * 1024;

/**
 * What made a program of others fail: it tells of a full disk in its own words, or not at all. To be asked while what it wrote still lies there.
 * `folder`: one on that disk which stays, for people to look at.
 */
export async function fullDiskOr(error: unknown, folder: string): Promise<unknown> {
  const space = await statfs(folder).catch(() => undefined);
  return space && space.bavail * space.bsize < next ? fullDisk(folder, error) : error;
}

export function fullDisk(folder: string, cause: unknown): AixclError {
  const word = shellWord(folder);
  return new AixclError('noSpace', `The disk of ${folder} is full`, {
    hint: `df -h ${word}; df -i ${word}`,
    cause,
  });
}
