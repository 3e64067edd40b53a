import { type Dirent, existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { blobName, blobsFolder, manifestsFolder } from '../../../adapters/ollama/store/layout.ts';
import { AixclError, systemCode } from '../../../errors.ts';
import { modelsFolderIn, type StoreSight, sameHere, sightOfFolder } from './store-sight.ts';

/** Who has found so many need not know of more. */
const most = 50;

/** What Ollama has beside its models and makes anew, and downloads that did not come to an end. */
const ofNoWorth = [
  /^(id_ed25519(\.pub)?|history)$/,
  /^(models\/)?blobs\/sha256-[0-9a-f]{64}-partial(-\d+)?$/,
];

/**
 * Files below `root`, a folder around another Ollama's store, that are not known to be in ours too, as paths below it: all but the manifests
 * of models that are here whole, blobs that are here by name and size, its key, its history, its partials. Nothing is hashed. Not more than
 * are worth telling. Null: this user may not look, or there is no store.
 */
export async function filesOnlyThere(
  root: string,
  ours: StoreSight,
  known?: StoreSight,
): Promise<readonly string[] | null> {
  try {
    const folder = known?.folder ?? (await modelsFolderIn(root));
    if (folder === undefined) return null;
    const theirs = known ?? (await sightOfFolder(folder));
    const below = (...path: string[]) => relative(root, join(folder, ...path));
    const here = new Set([
      ...sameHere(theirs, ours).map(({ stored }) => below(manifestsFolder, stored.path)),
      ...[...theirs.blobs].flatMap(([digest, { size }]) =>
        ours.blobs.get(digest)?.size === size ? below(blobsFolder, blobName(digest)) : [],
      ),
    ]);
    const around = existsSync(join(root, '.ollama')) ? ['', '.ollama'] : [''];
    const isWorthless = (path: string) =>
      around.some((each) => ofNoWorth.some((one) => one.test(relative(each, path).split(sep).join('/'))));
    const found: string[] = [];
    for await (const path of filesBelow(root)) {
      if (here.has(path) || isWorthless(path)) continue;
      found.push(path);
      if (found.length === most) break;
    }
    return found.sort();
  } catch (error) {
    if (error instanceof AixclError || systemCode(error) !== undefined) return null;
    throw error;
  }
}

/** Whatever is no folder, as a path below `root`; no link is followed. */
async function* filesBelow(root: string, below = ''): AsyncGenerator<string> {
  const entries: Dirent[] = await readdir(join(root, below), { withFileTypes: true });
  for (const entry of entries) {
    const path = join(below, entry.name);
    if (entry.isDirectory()) yield* filesBelow(root, path);
    else yield path;
  }
}
