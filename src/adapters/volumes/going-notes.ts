import { lstat, mkdir, readFile, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { systemCode } from '../../errors.ts';
import { ownershipOf, replaceFile } from '../durable.ts';
import { namesIn } from '../names-in.ts';
import type { KeptVolume } from './kept-volume.ts';
import type { SavedAttributes } from './saved-tree.ts';

/**
 * Whose the files of a volume were before the vault took them over, which makes them its own and read-only: noted before it does, so that files
 * that stay after all, as the command was killed, can be given back what they had.
 */
const noteSchema = z.object({
  volume: z.string().min(1),
  folder: z.string().startsWith('/'),
  /** Path, inode, size, time of the last write in nanoseconds; mode; uid; gid. */
  files: z.array(z.tuple([z.string(), z.string(), z.int(), z.string(), z.int(), z.int(), z.int()])),
});

export interface GoingNote {
  readonly volume: string;
  readonly folder: string;
  /** Of those that are still the files that they were: by path. */
  readonly files: ReadonlyMap<string, SavedAttributes>;
}

/** `folder`: where notes lie; one a volume. */
export async function noteGoing(
  notes: string,
  home: string,
  { volume, folder, saved }: KeptVolume,
): Promise<void> {
  if (folder === undefined) return;
  const files = saved.files.flatMap(({ path, identity: { inode, size, mtime } }) => {
    const owned = saved.owned.get(path);
    return owned ? [[path, inode, size, mtime, owned.bits, owned.uid, owned.gid] as const] : [];
  });
  await mkdir(notes, { recursive: true });
  const text = `${JSON.stringify({ volume: volume.name, folder, files })}\n`;
  await replaceFile(join(notes, volume.name), text, await ownershipOf(home));
}

export async function forgetGoing(notes: string, volume: string): Promise<void> {
  await unlink(join(notes, volume)).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error;
  });
}

/** Takes away what was half written when its command was killed, and the folder where nothing is noted. Under the vault's lock. */
export async function tidyNotes(notes: string): Promise<void> {
  for (const name of await namesIn(notes)) if (name.startsWith('.')) await unlink(join(notes, name));
  await rmdir(notes).catch((error: unknown) => {
    if (!['ENOENT', 'ENOTEMPTY'].includes(systemCode(error) ?? '')) throw error;
  });
}

/** What killed commands noted. A note that can't be read is of no use, and is passed over. */
export async function goingNotes(notes: string): Promise<GoingNote[]> {
  const found: GoingNote[] = [];
  for (const name of await namesIn(notes)) {
    if (name.startsWith('.')) continue;
    const note = read(await readFile(join(notes, name), 'utf8'));
    if (note?.volume === name) found.push({ ...note, files: await standing(note) });
  }
  return found;
}

function read(text: string): z.output<typeof noteSchema> | undefined {
  try {
    return noteSchema.safeParse(JSON.parse(text)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function standing({
  folder,
  files,
}: z.output<typeof noteSchema>): Promise<Map<string, SavedAttributes>> {
  const same = new Map<string, SavedAttributes>();
  for (const [path, inode, size, mtime, mode, uid, gid] of files) {
    const there = await lstat(join(folder, path), { bigint: true }).catch(() => undefined);
    const unwritten =
      String(there?.ino) === inode && Number(there?.size) === size && String(there?.mtimeNs) === mtime;
    if (there?.isFile() && unwritten) {
      same.set(path, { mode, mtime: Number(BigInt(mtime) / 1000n) / 1000, owner: { uid, gid } });
    }
  }
  return same;
}
