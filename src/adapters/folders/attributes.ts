import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Ownership } from '../durable.ts';
import { isPlainPath } from '../vault/records.ts';
import type { FolderTree } from './tree.ts';

/** What a file or folder is beside its bytes. */
export interface Attributes {
  /** Nine bits of a plain folder, whose set-user-id and its kin are not kept; twelve of what a volume holds. */
  readonly mode: number;
  /** When it was last written to; milliseconds since 1970. */
  readonly mtime: number;
  /** Absent: whose the place is that it is put into. */
  readonly owner?: Ownership;
}

/** By path; the folder itself is the empty one. */
export type AttributesByPath = ReadonlyMap<string, Attributes>;

const path = z.string().refine((text) => text === '' || isPlainPath(text), 'no plain relative path');
const factsSchema = z.object({
  modes: z.array(z.tuple([path, z.string().regex(/^[0-7]{3}$/)])).catch([]),
  times: z.array(z.tuple([path, z.number()])).catch([]),
});

/** For the facts of a snapshot: modes in octal, times in milliseconds. */
export function attributeFacts({ files, folders }: FolderTree): z.infer<typeof factsSchema> {
  const all = [...folders, ...files];
  return {
    modes: all.map(({ path, mode }) => [path, mode.toString(8).padStart(3, '0')]),
    times: all.map(({ path, mtime }) => [path, mtime]),
  };
}

/** Of a snapshot that has none, being older or a model's: empty. */
export function attributesOf(facts: Readonly<Record<string, unknown>>): AttributesByPath {
  const { modes, times } = factsSchema.parse(facts);
  const mtimes = new Map(times);
  return new Map(
    modes.flatMap(([path, octal]) => {
      const mtime = mtimes.get(path);
      return mtime === undefined ? [] : [[path, { mode: Number.parseInt(octal, 8), mtime }]];
    }),
  );
}

/** Gives folders of a finished tree their modes and times: the deepest first, `root` last, as nobody else can look into it until then. */
export async function settleFolders(
  root: string,
  paths: Iterable<string>,
  attributes: AttributesByPath,
  ownMode: number,
): Promise<void> {
  const folders = [...new Set([...paths, ''])].sort((a, b) => depth(b) - depth(a));
  for (const path of folders) {
    const wish = attributes.get(path);
    await using handle = await open(join(root, path));
    if (wish?.owner) await handle.chown(wish.owner.uid, wish.owner.gid);
    if (wish) await handle.utimes(new Date(), wish.mtime / 1000);
    const mode = path === '' ? ownMode : wish?.mode;
    if (mode !== undefined) await handle.chmod(mode);
    await handle.sync();
  }
}

function depth(path: string): number {
  return path === '' ? 0 : path.split('/').length;
}
