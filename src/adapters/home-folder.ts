import { chown, mkdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../errors.ts';
import type { Home } from '../home.ts';
import { diskRefusal } from './disk-refusal.ts';
import { gpuGroups } from './host-facts.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** First id tried for the owner of a models directory that aixcl makes as root; not one that Debian gives to anybody. */
const dedicatedId = 10_471;

/**
 * Who owns the models directory, and so who llama-server runs as. Where it has yet to be made: this user, or, for root, an id of
 * its own that no account of this machine has.
 */
export async function ownerOf(models: string): Promise<Owner> {
  try {
    const { uid, gid } = await stat(models);
    return { uid, gid };
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  const uid = process.getuid?.() ?? 1000;
  if (uid !== 0) return { uid, gid: process.getgid?.() ?? uid };
  const taken = new Set([...(await idsIn('/etc/passwd')), ...(await idsIn('/etc/group'))]);
  let id = dedicatedId;
  while (taken.has(id)) id += 1;
  return { uid: id, gid: id };
}

/** What the Compose files of ours ask for and this machine decides. Ids of the process environment go over the owner's; those in `.env` are of an earlier start. */
export async function homeVariables(
  home: Home,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Record<string, string>> {
  const { uid, gid } = await ownerOf(home.models);
  return {
    AIXCL_HOME: home.root,
    ...(env.AIXCL_MODELS_DIR && { AIXCL_MODELS_DIR: home.models }),
    ...(env.AIXCL_VAULT && { AIXCL_VAULT: home.vault }),
    AIXCL_PAGE_MODELS: await placeInPage(home.models, home, '/unused/models'),
    AIXCL_PAGE_VAULT: await placeInPage(home.vault, home, '/unused/vault'),
    AIXCL_UID: process.env.AIXCL_UID || String(uid),
    AIXCL_GID: process.env.AIXCL_GID || String(gid),
    ...(await gpuGroups()),
  };
}

/**
 * Where the page's container has a folder that it is given beside the home. One in the home it has there, on the home's own mount, which links need:
 * then `unused`. Where the home has a link, it is what that leads to.
 */
async function placeInPage(path: string, { root }: Home, unused: string): Promise<string> {
  if (!path.startsWith(`${root}/`)) return path;
  const [real, realRoot] = await Promise.all([path, root].map((each) => realpath(each).catch(() => each)));
  return real?.startsWith(`${realRoot}/`) || real === path ? unused : (real ?? path);
}

/** Third field of each line: user ids in passwd(5), group ids in group(5). */
async function idsIn(file: string): Promise<number[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').map((line) => Number(line.split(':')[2]));
}

/** Folders that are made where they are missing: the home, what is below it, and a vault elsewhere, which the first backup would make. */
export function isHomeFolder(path: string, { root, vault }: Home): boolean {
  return path === root || path === vault || path.startsWith(`${root}/`);
}

/**
 * Makes a folder of the home. The models directory gets the owner that llama-server runs as, and so does the vault, in which the page, as the
 * same user, writes too; one that is there keeps its own.
 */
export async function makeHomeFolder(path: string, home: Home): Promise<void> {
  const owner = path === home.models || path === home.vault ? await ownerOf(home.models) : undefined;
  try {
    await mkdir(dirname(path), { recursive: true });
    await mkdir(path);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw diskRefusal(error, path, path);
    return;
  }
  if (owner && process.getuid?.() === 0) await chown(path, owner.uid, owner.gid);
}

/**
 * Sets keys in the home's `.env`, from which aixcl and plain `docker compose` take their variables. An undefined value leaves the
 * key as it is.
 */
export async function saveSettings(
  home: Home,
  settings: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const { updateEnvFile } = await import('../stack/definition/env-file.ts');
  const given = Object.entries(settings).filter((entry): entry is [string, string] => entry[1] !== undefined);
  await mkdir(home.root, { recursive: true });
  await updateEnvFile(home.envFile, Object.fromEntries(given));
}
