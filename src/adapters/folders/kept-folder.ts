import type { Stats } from 'node:fs';
import { lstat, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { AixclError, systemCode } from '../../errors.ts';
import type { KeptModel } from '../../models/keeper.ts';
import { quoted } from '../../models/model-name.ts';
import { shellWord } from '../../shell-word.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { Source } from '../../vault/subject.ts';
import { sameContent } from '../vault/file-identity.ts';
import { attributeFacts } from './attributes.ts';
import { type FolderTree, readTree, treeOfFile } from './tree.ts';

/** A plain directory, or a single GGUF file somewhere, as it was at one moment. */
export interface KeptFolder extends KeptModel {
  readonly tree: FolderTree;
  /** Where the paths of `tree` begin. */
  readonly root: string;
  /** True: the subject is the one file in `tree`, not the folder that it lies in. */
  readonly file: boolean;
}

/** Among the facts of a snapshot of a single file. */
export const fileFacts = { file: true } as const;

/**
 * The folder, or the GGUF file, at `name`; undefined where there is none, or nothing in it. Throws `refused` for what is neither, and for the
 * vault.
 */
export async function findFolder(name: string, vault: string): Promise<KeptFolder | undefined> {
  const path = resolve(name);
  const stats = await lstat(path).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  });
  if (!stats) return undefined;
  const file = stats.isFile() && path.endsWith('.gguf');
  if (!stats.isDirectory() && !file) throw noFolder(path, stats);
  const real = await realpath(path);
  await refuseVault(real, vault);
  const tree = file ? await treeOfFile(real) : await readTree(real);
  // Where nothing lies, there is nothing to save and nothing to write over.
  if (isEmpty(tree)) return undefined;
  return {
    subject: { runtime: 'directory', name: real },
    size: tree.files.reduce((sum, { identity }) => sum + identity.size, 0),
    files: tree.files.map(({ path: within, identity, names }) => ({
      path: within,
      size: identity.size,
      digest: null,
      sharedWith: [],
      linkedElsewhere: names > 1,
    })),
    modified: tree.files.reduce(
      (newest, { modified }) => (modified > newest ? modified : newest),
      stats.mtime,
    ),
    damage: null,
    held: null,
    tree,
    root: file ? dirname(real) : real,
    file,
  };
}

function noFolder(path: string, stats: Stats): AixclError {
  const what = stats.isSymbolicLink() ? 'a link' : stats.isFile() ? 'a file' : 'no folder';
  const hint = stats.isSymbolicLink()
    ? `Name the folder that it leads to: realpath ${path}`
    : 'Name a folder; a file that is a model is brought in by: aixcl models add FILE';
  return new AixclError('refused', `${quoted(path)} is ${what}, and neither folder nor model`, { hint });
}

/** A vault in a snapshot of its own would grow without end. */
export async function refuseVault(path: string, vault: string): Promise<void> {
  const real = await realpath(vault).catch(() => vault);
  if (!isInside(real, path) && !isInside(path, real)) return;
  throw new AixclError(
    'refused',
    `${quoted(path)} holds the vault, or lies in it, and can't be saved into it`,
    {
      hint: 'Name a folder in it that holds no vault.',
    },
  );
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/** What a snapshot of it would hold. */
export async function openFolder({ subject, root, tree, file }: KeptFolder): Promise<Source> {
  const [odd] = tree.odd;
  if (odd) {
    throw new AixclError('verification', `${quoted(join(root, odd.path))} can't be saved: ${odd.why}`, {
      hint: 'Take it out of the folder, or save the other folders by name.',
    });
  }
  return {
    subject,
    files: tree.files.map(({ path, identity, executable }) => ({
      path,
      size: identity.size,
      digest: null,
      proven: false,
      bytes: { kind: 'file', path: join(root, path) },
      ...(executable && { executable: true }),
    })),
    folders: tree.emptyFolders,
    facts: { links: tree.links, ...attributeFacts(tree), ...(file && fileFacts) },
    async assertUnchanged() {
      const now = file ? await treeOfFile(subject.name) : await readTree(root);
      if (sameTree(tree, now)) return;
      throw new AixclError('refused', `${quoted(subject.name)} changed while it was saved`, {
        hint: 'Let whatever writes there finish, then run the command again.',
      });
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** Throws `verification` unless the snapshot holds each of its files as it is. */
export function assertSaved(before: KeptFolder, { files, id }: Snapshot): void {
  const saved = new Map(files.map(({ path, size }) => [path, size]));
  if (before.tree.files.every(({ path, identity }) => saved.get(path) === identity.size)) return;
  throw new AixclError('verification', `${id} does not hold ${quoted(before.subject.name)} as it is`, {
    hint: `aixcl backups create ${shellWord(before.subject.name)}`,
  });
}

/** By inode, size and modification time; to be linked into the vault changes the ctime. */
export function sameTree(a: FolderTree, b: FolderTree): boolean {
  const rest = ({ emptyFolders, links }: FolderTree) => JSON.stringify([emptyFolders, links]);
  return (
    rest(a) === rest(b) &&
    a.files.length === b.files.length &&
    a.files.every((file, index) => {
      const other = b.files[index];
      return other?.path === file.path && sameContent(file.identity, other.identity);
    })
  );
}

function isEmpty({ files, emptyFolders, links, odd }: FolderTree): boolean {
  return files.length + emptyFolders.length + links.length + odd.length === 0;
}
