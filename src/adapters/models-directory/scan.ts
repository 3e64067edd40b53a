import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../errors.ts';
import type { UnusableFile } from '../../models/model.ts';
import {
  activeLink,
  decodeFileName,
  isModelName,
  type ModelName,
  nameProblem,
  parseShardName,
  quoted,
} from '../../models/model-name.ts';
import { NotOpened, resolveInside } from './open-inside.ts';

/** A model by its names alone; nothing of it has been opened. */
export interface FoundModel {
  readonly name: ModelName;
  readonly folder: boolean;
  /** Relative to the models directory, in order of their names. */
  readonly paths: readonly string[];
}

/** Everything in `directory` that is a model by its name. Hidden things, `current.gguf` as a link, and what is no GGUF are passed over. */
export async function scan(directory: string): Promise<{ found: FoundModel[]; unusable: UnusableFile[] }> {
  const found: FoundModel[] = [];
  const unusable: UnusableFile[] = [];
  const shards = new Map<string, string[]>();
  for (const entry of await namesIn(directory)) {
    const { name } = entry;
    if (name === undefined) {
      unusable.push({ name: entry.shown, why: 'its name is not valid UTF-8' });
      continue;
    }
    if (name.startsWith('.') || (name === activeLink && entry.link)) continue;
    const kind = await kindOf(directory, name);
    if (kind === 'gone') continue;
    if (kind === 'folder') {
      const paths = await filesOfFolder(directory, name);
      if (typeof paths === 'string') unusable.push({ name: quoted(name), why: paths });
      else if (paths.length === 0) continue;
      else if (isModelName(name)) found.push({ name, folder: true, paths });
      else unusable.push({ name: quoted(name), why: nameProblem(name)! });
      continue;
    }
    if (!name.endsWith('.gguf')) continue;
    const why = name === activeLink ? regularLink : (nameProblem(name) ?? kind.problem);
    if (why) {
      unusable.push({ name: quoted(name), why });
      continue;
    }
    const shard = parseShardName(name);
    if (!shard) found.push({ name: name as ModelName, folder: false, paths: [name] });
    else {
      const key = `${shard.count} ${shard.stem}`;
      shards.set(key, [...(shards.get(key) ?? []), name]);
    }
  }
  for (const paths of shards.values()) found.push({ name: paths[0] as ModelName, folder: false, paths });
  found.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { found, unusable };
}

const regularLink =
  'it is a file where the link to the active model belongs; llama-server gives it a name of its own at its next start';

/** Paths of the GGUF files in a folder, or why it can't be looked into. */
async function filesOfFolder(directory: string, folder: string): Promise<string[] | string> {
  try {
    const entries = await namesIn(join(directory, folder));
    return entries
      .map((entry) => entry.name)
      .filter((name) => name !== undefined)
      .filter((name) => name.endsWith('.gguf') && !name.startsWith('.'))
      .map((name) => join(folder, name));
  } catch (error) {
    if (systemCode(error) === 'EACCES') return 'it can not be read by this user';
    throw error;
  }
}

interface Entry {
  /** Undefined where it is not UTF-8. */
  readonly name: string | undefined;
  readonly shown: string;
  readonly link: boolean;
}

/** Sorted by name, so that what is found does not depend on the file system. */
async function namesIn(directory: string): Promise<Entry[]> {
  try {
    const entries = await readdir(directory, { encoding: 'buffer', withFileTypes: true });
    return entries
      .sort((a, b) => Buffer.compare(a.name, b.name))
      .map((entry) => ({
        name: decodeFileName(entry.name),
        shown: quoted(entry.name.toString('latin1')),
        link: entry.isSymbolicLink(),
      }));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** `gone`: it was taken away since the folder was read. */
async function kindOf(
  directory: string,
  name: string,
): Promise<'folder' | 'gone' | { problem: string | undefined }> {
  try {
    const stats = await stat(await resolveInside(directory, name));
    if (stats.isDirectory()) return 'folder';
    return { problem: stats.isFile() ? undefined : 'it is not a regular file' };
  } catch (error) {
    if (error instanceof NotOpened) return error.gone ? 'gone' : { problem: error.message };
    switch (systemCode(error)) {
      case 'ENOENT':
        return 'gone';
      case 'EACCES':
        return { problem: 'it can not be read by this user' };
      default:
        throw error;
    }
  }
}
