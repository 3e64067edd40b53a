import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AixclError, systemCode } from '../../../errors.ts';
import { shellWord } from '../../../shell-word.ts';

/** Paths below the folder `manifests` of all that lies as deep as a manifest: host, namespace, model, tag. Nothing of it is opened. */
export async function manifestPaths(root: string): Promise<string[]> {
  let folders = [''];
  for (const _ of ['host', 'namespace', 'model']) {
    const below = await Promise.all(
      folders.map((folder) => named(root, folder, (entry) => entry.isDirectory())),
    );
    folders = below.flat();
  }
  const found = await Promise.all(
    folders.map((folder) => named(root, folder, (entry) => !entry.isDirectory())),
  );
  return found.flat();
}

async function named(root: string, folder: string, wanted: (entry: Dirent) => boolean): Promise<string[]> {
  const entries = await entriesOf(join(root, folder));
  return entries.filter(wanted).map(({ name }) => (folder === '' ? name : `${folder}/${name}`));
}

/** None where the folder is not there. Throws `refused` where this user may not look into it. */
export async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return (await ifThere(readdir(folder, { withFileTypes: true }))) ?? [];
  } catch (error) {
    if (systemCode(error) !== 'EACCES') throw error;
    throw new AixclError('refused', `${folder} can't be read by this user`, {
      hint: `ls -ld ${shellWord(folder)}`,
      cause: error,
    });
  }
}

/** Undefined where the call finds nothing, or one of `alsoMissing`. */
export async function ifThere<T>(
  call: Promise<T>,
  ...alsoMissing: readonly string[]
): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', ...alsoMissing].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}
