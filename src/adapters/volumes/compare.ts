import { AixclError } from '../../errors.ts';
import { quoted } from '../../models/model-name.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { FolderTree } from '../folders/tree.ts';
import type { SavedTree } from './saved-tree.ts';

/** What is missing in a volume of what a snapshot holds, where nothing else stands in it. */
export interface Missing {
  readonly files: SavedTree['files'];
  readonly links: SavedTree['links'];
  /** True where folders are missing, or were written to at another time. */
  readonly folders: boolean;
  /** True where something that stands has another mode, owner or time. */
  readonly attributes: boolean;
}

/** Of what stands there the digests are asked for, of files that have the right size alone. Throws `refused` where anything else stands. */
export async function missingIn(
  name: string,
  standing: FolderTree,
  tree: SavedTree,
  { id }: Snapshot,
  digestOf: (path: string) => Promise<string>,
): Promise<Missing> {
  const files = new Map(tree.files.map((file) => [file.path, file]));
  const links = new Map(tree.links.map(({ path, target }) => [path, target]));
  const folders = new Set(tree.folders);
  for (const { path, target } of standing.links) {
    if (links.get(path) !== target) throw otherThings(name, id, path);
  }
  for (const { path } of standing.odd) throw otherThings(name, id, path);
  for (const { path } of standing.folders) {
    if (files.has(path) || links.has(path)) throw otherThings(name, id, path);
  }
  for (const { path, identity } of standing.files) {
    const saved = files.get(path);
    if (!saved || folders.has(path) || saved.size !== identity.size) throw otherThings(name, id, path);
  }
  for (const { path } of standing.files) {
    if ((await digestOf(path)) !== files.get(path)?.digest) throw otherThings(name, id, path);
  }
  const there = new Set([...standing.files, ...standing.links, ...standing.folders].map(({ path }) => path));
  return {
    files: tree.files.filter(({ path }) => !there.has(path)),
    links: tree.links.filter(({ path }) => !there.has(path)),
    folders: tree.folders.some((path) => !there.has(path) || !sameTime(standing, tree, path)),
    attributes: !sameAttributes(standing, tree),
  };
}

/** Times of folders change with what is put into them, and back. */
function sameAttributes({ owned, files, links, folders }: FolderTree, tree: SavedTree): boolean {
  const same = ({ path }: { readonly path: string }) => {
    const [there, wish] = [owned.get(path), tree.attributes.get(path)];
    if (!there || !wish) return true;
    const { owner, mode } = wish;
    return there.uid === owner.uid && there.gid === owner.gid && there.bits === mode;
  };
  const untouched = [...files, ...links].every(({ path }) => sameTime({ owned }, tree, path));
  return untouched && [...files, ...links, ...folders].every(same);
}

/** To the millisecond. */
function sameTime({ owned }: Pick<FolderTree, 'owned'>, { attributes }: SavedTree, path: string): boolean {
  const [there, wish] = [owned.get(path), attributes.get(path)];
  return !there || !wish || Math.abs(there.mtime - wish.mtime) < 1;
}

function otherThings(name: string, id: string, path: string): AixclError {
  return new AixclError(
    'refused',
    `the volume ${name} holds other things than ${id} does: ${quoted(path)}; a backup of a volume is put into an empty one`,
    { hint: `aixcl stack clean --volumes ${name}, which saves what is in it; then run the command again` },
  );
}
