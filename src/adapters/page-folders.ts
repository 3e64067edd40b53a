import { constants } from 'node:fs';
import { chmod, type FileHandle, lchown, lstat, mkdir, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../errors.ts';
import type { Home } from '../home.ts';
import { type Owner, ownerOf } from './home-folder.ts';

/**
 * Makes the folders of the home that the page's service writes into, and opens to it what root closed: it runs as the owner of the models
 * directory. Only root can give, and gives what is root's own; a folder of anybody else stays as it is. What others on this machine could not
 * reach, they still can't. Answers whether the home was closed.
 */
export async function openToPage(home: Home): Promise<{ readonly opened: boolean }> {
  const owner = await ownerOf(home.models);
  const asRoot = process.getuid?.() === 0 && owner.uid !== 0;
  const opened = asRoot && (await letPass(home.root, owner));
  const folders = [home.vault, home.journal, join(home.root, 'page')];
  for (const path of folders)
    await mkdir(path, { recursive: true, mode: path === home.journal ? 0o755 : 0o700 });
  if (!asRoot) return { opened };
  // In `.aixcl`, earlier versions left folders that were root's.
  for (const path of [...folders, join(home.models, '.aixcl')]) await giveFolder(path, owner);
  return { opened };
}

/**
 * Lets the owner pass through a folder of root's that nobody else could: `mkdir` under a umask of 077 makes such a home. What lies in it is closed
 * to others by itself then, but for Ollama's folder, whose models the page reads.
 */
async function letPass(root: string, { gid }: Owner): Promise<boolean> {
  const { mode, ...found } = await stat(root);
  if (found.uid !== 0 || mode & 0o001 || (found.gid === gid && mode & 0o010)) return false;
  for (const entry of await readdir(root, { withFileTypes: true })) {
    if (entry.isSymbolicLink() || entry.name === 'ollama') continue;
    const path = join(root, entry.name);
    const found = await lstat(path).catch(() => undefined);
    if (found) await chmod(path, found.mode & 0o7770);
  }
  await chmod(root, (mode & 0o7777) | 0o001);
  return true;
}

/** Gives a folder, and what lies right in it, to `owner` where it is root's. Whoever owns the folder may change it meanwhile, so no link in it is followed. */
async function giveFolder(path: string, owner: Owner): Promise<void> {
  await using folder = await openFolder(path);
  if (!folder) return;
  const { uid } = await folder.stat();
  if (uid === 0) await folder.chown(owner.uid, owner.gid);
  else if (uid !== owner.uid) return;
  const inside = `/proc/self/fd/${folder.fd}`;
  for (const name of await readdir(inside)) {
    const found = await lstat(join(inside, name)).catch(() => undefined);
    // A second name may be one outside.
    if (found?.uid !== 0 || (found.isFile() && found.nlink > 1)) continue;
    await lchown(join(inside, name), owner.uid, owner.gid);
  }
}

async function openFolder(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}
