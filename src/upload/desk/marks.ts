import type { BigIntStats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../errors.ts';

/** What tells that a file was written, replaced or removed, without reading it. A link is looked at, not followed. */
export async function markOf(...paths: readonly string[]): Promise<string> {
  return (await Promise.all(paths.map(markOfFile))).join('\n');
}

/** The same for all that lies in `folder` and in the folders in it, but for what is hidden. */
export async function markOfFolder(folder: string, depth = 1): Promise<string> {
  const entries = await readdir(folder, { encoding: 'buffer', withFileTypes: true }).catch(absent(() => []));
  const marks = entries
    .filter(({ name }) => name[0] !== dot)
    .map(async (entry) => {
      // Names that are not UTF-8 are told as unusable by the name alone.
      const name = entry.name.toString('latin1');
      const path = join(folder, entry.name.toString());
      const inside = depth > 0 && entry.isDirectory() ? await markOfFolder(path, depth - 1) : '';
      return `${name} ${await markOfFile(path)} ${inside}`;
    });
  return (await Promise.all(marks)).sort().join('\n');
}

const dot = 0x2e;

async function markOfFile(path: string): Promise<string> {
  const stats = await lstat(path, { bigint: true }).catch(absent(() => undefined));
  return stats ? identity(stats) : '-';
}

function identity({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

function absent<T>(answer: () => T): (error: unknown) => T {
  return (error) => {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return answer();
    throw error;
  };
}
