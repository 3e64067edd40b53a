import { constants, type Dirent } from 'node:fs';
import { access, lstat, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode } from '../../../errors.ts';
import { blobsFolder, manifestsFolder, stagingFolder } from './layout.ts';

/** Whether this process may write everywhere in the store; where there is none yet, whether it may make it. */
export async function writable(models: string): Promise<boolean> {
  try {
    const top = await nearest(models);
    await access(top, constants.W_OK | constants.X_OK);
    if (top !== models) return true;
    for (const folder of [blobsFolder, stagingFolder, manifestsFolder]) {
      await writableBelow(join(models, folder), folder === manifestsFolder ? 3 : 0);
    }
    return true;
  } catch (error) {
    if (['EACCES', 'EPERM'].includes(systemCode(error) ?? '')) return false;
    throw error;
  }
}

async function writableBelow(folder: string, depth: number): Promise<void> {
  let entries: Dirent[];
  try {
    await access(folder, constants.W_OK | constants.X_OK);
    entries = depth > 0 ? await readdir(folder, { withFileTypes: true }) : [];
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  for (const entry of entries) {
    if (entry.isDirectory()) await writableBelow(join(folder, entry.name), depth - 1);
  }
}

/** `path`, or the closest folder above it that is there. */
export async function nearest(path: string): Promise<string> {
  for (let folder = path; ; folder = dirname(folder)) {
    if (folder === dirname(folder) || (await standing(folder))) return folder;
  }
}

/** Whether anything has this name. */
export async function standing(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return false;
    throw error;
  }
}
