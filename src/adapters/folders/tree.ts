import { type BigIntStats, constants } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { systemCode } from '../../errors.ts';
import type { FileIdentity } from '../../vault/evidence.ts';
import { identityOf } from '../vault/file-identity.ts';

/** All that lies in a folder, down to the last. Paths are relative to it, `/` between components. No link is followed. */
export interface FolderTree {
  readonly files: readonly TreeFile[];
  /** All of them, the folder itself as the empty path; each before what lies in it. */
  readonly folders: readonly TreeFolder[];
  /** Those that hold nothing. */
  readonly emptyFolders: readonly string[];
  readonly links: readonly TreeLink[];
  /** Of every file, folder and link, the folder itself too: what the engine's tools would keep beside its bytes. */
  readonly owned: ReadonlyMap<string, Owned>;
  /** What can't be read as it is: a socket, a name that is not UTF-8, a folder of another user's. */
  readonly odd: readonly { readonly path: string; readonly why: string }[];
}

export interface TreeFile {
  readonly path: string;
  readonly identity: FileIdentity;
  readonly modified: Date;
  /** Who may read, write and run it: nine bits. */
  readonly mode: number;
  /** `modified` in milliseconds since 1970, to the microsecond. */
  readonly mtime: number;
  /** By its owner. */
  readonly executable: boolean;
  /** Names that it has on its disk. */
  readonly names: number;
}

export interface TreeFolder {
  readonly path: string;
  readonly mode: number;
  readonly mtime: number;
}

export interface TreeLink {
  readonly path: string;
  readonly target: string;
}

/** Whose a file, folder or link is. */
export interface Owned {
  readonly uid: number;
  readonly gid: number;
  /** Twelve bits: set-user-id and its kin too. */
  readonly bits: number;
  /** Milliseconds since 1970, to the microsecond. */
  readonly mtime: number;
}

interface Growing {
  readonly files: TreeFile[];
  readonly folders: TreeFolder[];
  readonly emptyFolders: string[];
  readonly links: TreeLink[];
  readonly owned: Map<string, Owned>;
  readonly odd: { path: string; why: string }[];
}

/** Reads the folder at `root`; what is in there in the order of its names. */
export async function readTree(root: string): Promise<FolderTree> {
  const tree: Growing = { files: [], folders: [], emptyFolders: [], links: [], owned: new Map(), odd: [] };
  await readInto(tree, root, '', await lstat(root, { bigint: true }));
  return tree;
}

/** One file as a tree of its own, `name` in it. Throws `ENOENT`. */
export async function treeOfFile(path: string, name = basename(path)): Promise<FolderTree> {
  const stats = await lstat(path, { bigint: true });
  const files = stats.isFile() ? [treeFile(name, stats)] : [];
  return { files, folders: [], emptyFolders: [], links: [], owned: new Map(), odd: [] };
}

async function readInto(tree: Growing, root: string, folder: string, own: BigIntStats): Promise<void> {
  tree.owned.set(folder, ownedOf(own));
  tree.folders.push({ path: folder, mode: modeOf(own), mtime: mtimeOf(own) });
  const names = await namesIn(join(root, folder));
  if (names === 'unreadable') {
    tree.odd.push({ path: folder, why: 'it is a folder that this user can not look into' });
    return;
  }
  if (names.length === 0 && folder !== '') tree.emptyFolders.push(folder);
  for (const raw of names) {
    const name = utf8(raw);
    if (name === undefined) {
      tree.odd.push({
        path: join(folder, raw.toString('latin1')),
        why: 'its name is not UTF-8',
      });
      continue;
    }
    const path = folder === '' ? name : `${folder}/${name}`;
    const stats = await lstat(join(root, path), { bigint: true });
    if (stats.isDirectory()) await readInto(tree, root, path, stats);
    else if (stats.isSymbolicLink()) tree.links.push({ path, target: await readlink(join(root, path)) });
    else if (stats.isFile()) tree.files.push(treeFile(path, stats));
    if (stats.isFile() || stats.isSymbolicLink()) tree.owned.set(path, ownedOf(stats));
    else if (!stats.isDirectory()) tree.odd.push({ path, why: 'it is neither file, folder nor link' });
  }
}

export function treeFile(path: string, stats: BigIntStats): TreeFile {
  return {
    path,
    identity: identityOf(stats),
    modified: stats.mtime,
    mode: modeOf(stats),
    mtime: mtimeOf(stats),
    executable: (stats.mode & BigInt(constants.S_IXUSR)) !== 0n,
    names: Number(stats.nlink),
  };
}

function ownedOf(stats: BigIntStats): Owned {
  const bits = Number(stats.mode & 0o7777n);
  return { uid: Number(stats.uid), gid: Number(stats.gid), bits, mtime: mtimeOf(stats) };
}

function modeOf({ mode }: BigIntStats): number {
  return Number(mode & 0o777n);
}

function mtimeOf({ mtimeNs }: BigIntStats): number {
  return Number(mtimeNs / 1000n) / 1000;
}

async function namesIn(folder: string): Promise<Buffer[] | 'unreadable'> {
  try {
    return (await readdir(folder, { encoding: 'buffer' })).sort(Buffer.compare);
  } catch (error) {
    if (systemCode(error) === 'EACCES') return 'unreadable';
    throw error;
  }
}

/** Undefined where no string would lead back to these bytes. */
function utf8(raw: Buffer): string | undefined {
  const text = raw.toString('utf8');
  return Buffer.from(text, 'utf8').equals(raw) ? text : undefined;
}
