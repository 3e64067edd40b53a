import { utimesSync } from 'node:fs';
import { lstat, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestVault } from '../../../src/adapters/vault/test-vault.ts';
import type { Digest } from '../../../src/vault/digest.ts';

export const now = () => new Date();

/** As if it had been written to. */
export function touch(path: string): void {
  utimesSync(path, Date.now() / 1000, Math.random() * 1e9);
}

export async function inodeOf(path: string): Promise<number> {
  return (await lstat(path)).ino;
}

export async function present(home: TestVault, ...digests: Digest[]): Promise<boolean[]> {
  const blobs = await home.vault.blobs();
  return digests.map((digest) => blobs.has(digest));
}

/** Changes one bit, and nothing else that shows. */
export async function flip(path: string): Promise<void> {
  const { atime, mtime } = await stat(path);
  const content = await readFile(path);
  content[0] = (content[0] ?? 0) ^ 1;
  await writeFile(path, content);
  await utimes(path, atime, mtime);
}

export async function addEntry(home: TestVault, entry: object): Promise<void> {
  const path = join(home.path, 'index.json');
  const index = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...index, manifests: [...index.manifests, entry] }));
}
