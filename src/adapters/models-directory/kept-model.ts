import { lstat, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { systemCode } from '../../errors.ts';
import type { KeptFile, KeptModel } from '../../models/keeper.ts';
import { mainFileOf, shardsOf } from '../../models/model-files.ts';
import { type ModelName, parseShardName, quoted, shardName } from '../../models/model-name.ts';
import { type Digest, digestOf } from '../../vault/digest.ts';
import type { FileIdentity } from '../../vault/evidence.ts';
import { readTree, type TreeFile, type TreeLink, treeFile } from '../folders/tree.ts';
import { sameInode } from '../vault/file-identity.ts';
import { inspectModel } from './inspect-model.ts';
import { lastRecord, readRecord } from './records.ts';
import { type FoundModel, scan } from './scan.ts';

/** A GGUF model with all that lies under its name, as it was at one moment. */
export interface KeptGguf extends KeptModel {
  readonly name: ModelName;
  readonly folder: boolean;
  /** As `files`, in the same order. */
  readonly parts: readonly Part[];
  readonly emptyFolders: readonly string[];
  readonly links: readonly TreeLink[];
  /** Shards that are not there, by file name. */
  readonly missing: readonly string[];
  readonly about: Readonly<Record<string, unknown>>;
}

export interface Part extends TreeFile {
  /** Relative to the models directory; `path` is that in a snapshot. */
  readonly place: string;
  /** Absolute, links followed. */
  readonly real: string;
}

export type BlobPath = (digest: Digest) => string;

export async function keptModels(directory: string, blobPath: BlobPath): Promise<KeptGguf[]> {
  const { found } = await scan(directory);
  const kept: KeptGguf[] = [];
  for (const each of found) {
    const model = await unlessGone(() => keptModel(directory, each, blobPath));
    kept.push(...(model ? [model] : []));
  }
  return kept;
}

export async function findKept(
  directory: string,
  name: string,
  blobPath: BlobPath,
): Promise<KeptGguf | undefined> {
  const { found } = await scan(directory);
  const match = found.find((each) => each.name === name);
  return match && (await unlessGone(() => keptModel(directory, match, blobPath)));
}

/** Undefined where another command took it away after it was found. */
async function unlessGone<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function keptModel(directory: string, found: FoundModel, blobPath: BlobPath): Promise<KeptGguf> {
  const { name, folder } = found;
  const model = await inspectModel(directory, found);
  const lying = folder ? await inFolder(directory, name) : await sideBySide(directory, found.paths);
  const files = await Promise.all(lying.parts.map((part) => keptFile(directory, part, blobPath)));
  return {
    subject: { runtime: 'llama-server', name },
    name,
    folder,
    size: files.reduce((sum, file) => sum + file.size, 0),
    files,
    parts: lying.parts,
    emptyFolders: lying.emptyFolders,
    links: lying.links,
    missing: missingShards(found),
    modified: model.modified,
    damage: model.damage,
    held: lying.held,
    about: {
      architecture: model.summary?.architecture ?? null,
      parameters: model.summary?.parameters ?? null,
      quantization: model.summary?.quantization ?? null,
    },
  };
}

type Lying = Pick<KeptGguf, 'parts' | 'emptyFolders' | 'links' | 'held'>;

async function inFolder(directory: string, name: ModelName): Promise<Lying> {
  const root = await realpath(join(directory, name));
  const tree = await readTree(root);
  const parts = tree.files.map((file) => ({
    ...file,
    place: join(name, file.path),
    real: join(root, file.path),
  }));
  const own = (await lstat(join(directory, name))).isSymbolicLink();
  const linked = own ? name : tree.links.find(({ path }) => path.endsWith('.gguf'))?.path;
  const [odd] = tree.odd;
  const held = linked
    ? linkHeld(linked)
    : odd
      ? `${quoted(odd.path)} in it can't be saved: ${odd.why}`
      : null;
  return { parts, emptyFolders: tree.emptyFolders, links: own ? [] : tree.links, held };
}

async function sideBySide(directory: string, paths: readonly string[]): Promise<Lying> {
  const parts: Part[] = [];
  let held: string | null = null;
  for (const path of paths) {
    const full = join(directory, path);
    if ((await lstat(full)).isSymbolicLink()) held ??= linkHeld(path);
    // One that leads to nothing has been told as damage.
    const real = await realpath(full).catch(() => undefined);
    if (real === undefined) continue;
    parts.push({ ...treeFile(path, await stat(real, { bigint: true })), place: path, real });
  }
  return { parts, emptyFolders: [], links: [], held };
}

function linkHeld(path: string): string {
  return `${quoted(path)} is a link and holds no bytes of its own: to be rid of it, remove the link by hand`;
}

async function keptFile(directory: string, part: Part, blobPath: BlobPath): Promise<KeptFile> {
  const record = await readRecord(directory, part.place).catch(() => undefined);
  const digest = record ? digestOf(record.sha256) : null;
  // A link of the vault's changes the ctime, which the record then no longer fits.
  const last = part.names > 1 ? await lastRecord(directory, part.place, part.identity.inode) : undefined;
  const inVault = last && (await isSameFile(blobPath(digestOf(last.sha256)), part.identity));
  return {
    path: part.path,
    size: part.identity.size,
    digest,
    sharedWith: [],
    linkedElsewhere: part.names > (inVault ? 2 : 1),
  };
}

async function isSameFile(path: string, identity: FileIdentity): Promise<boolean> {
  const stats = await stat(path, { bigint: true }).catch(() => undefined);
  return stats !== undefined && sameInode(treeFile(path, stats).identity, identity);
}

function missingShards(found: FoundModel): string[] {
  const names = found.paths.map((path) => basename(path));
  const chosen = mainFileOf(names);
  const shard = parseShardName('main' in chosen ? chosen.main : (names[0] ?? ''));
  if (!shard) return [];
  const { missing } = shardsOf(shardName(shard), names);
  return missing.map((number) => shardName({ ...shard, number }));
}
