import { copyFile, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import {
  blobFile,
  type OllamaModel as Made,
  manifestFile,
  seedStore,
} from '../../../test/setup/ollama-model.ts';
import { TestOllama } from '../../adapters/ollama/store/test-ollama.ts';
import { directoryStore } from '../../adapters/ollama/store/test-store.ts';
import { TestVault } from '../../adapters/vault/test-vault.ts';
import { backUp } from '../../vault/save.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { Subject } from '../../vault/subject.ts';
import type { VaultWriter } from '../../vault/vault.ts';
import type { VerifiedBackup } from '../../vault/verified-backup.ts';
import { saveGoing } from '../save-going.ts';
import { OllamaKeeper } from './keeper.ts';

export const { signal } = new AbortController();
export const named = (name: string): Subject => ({ runtime: 'ollama', name });

/** A store in a folder, an Ollama that works on it, a vault beside it. */
export async function home() {
  const vault = await TestVault.make();
  const directory = join(vault.root, 'ollama');
  const store = directoryStore(join(directory, 'models'), join(vault.path, 'receipts'));
  const ollama = new TestOllama(store);
  const keeper = new OllamaKeeper({ store, api: ollama, signal });
  const model = async (name: string) => {
    const found = await keeper.find(name);
    if (!found) throw new Error(`no ${name}`);
    return found;
  };
  return {
    vault,
    directory,
    store,
    ollama,
    keeper,
    model,
    seed: (name: string, wish: Parameters<typeof seedStore>[2] = {}) => seedStore(directory, name, wish),
    async backUp(writer: VaultWriter, name: string): Promise<Snapshot> {
      await using source = await keeper.open(await model(name));
      return await backUp(source, { ...saveWish(writer), recheck: false });
    },
    saveGoing: async (
      writer: VaultWriter,
      name: string,
      backupType: 'pre_deletion' | 'pre_update' = 'pre_deletion',
    ): Promise<VerifiedBackup> =>
      saveGoing({ keeper, model: await model(name) }, { ...saveWish(writer), backupType, damage: null }),
    restore: (
      snapshot: Snapshot,
      writer: VaultWriter,
      target = snapshot.subject,
      standing: VerifiedBackup | 'nothing' = 'nothing',
    ) =>
      keeper.restore(snapshot, { vault: vault.vault, writer, target, standing, operation: 'test-2', signal }),
    [Symbol.asyncDispose]: () => vault[Symbol.asyncDispose](),
  };
}

export function saveWish(writer: VaultWriter) {
  return {
    writer,
    backupType: 'pre_deletion' as const,
    reason: 'a test',
    operation: 'test-1',
    created: new Date(Date.now() - 1000),
    signal,
  };
}

export async function flip(path: string): Promise<void> {
  const { atime, mtime } = await stat(path);
  const content = await readFile(path);
  content[Math.floor(content.length / 2)]! ^= 1;
  const copy = `${path}.flipped`;
  await mkdir(dirname(copy), { recursive: true });
  await writeFile(copy, content);
  await rm(path);
  await copyFile(copy, path);
  await rm(copy);
  await utimes(path, atime, mtime);
}

export function hashName(digest: string) {
  return digest as Parameters<TestVault['read']>[0];
}

export async function assertWhole(directory: string, name: string, { manifest, blobs }: Made): Promise<void> {
  expect((await readFile(manifestFile(directory, name))).equals(manifest)).toBe(true);
  for (const { digest, content } of blobs) {
    expect((await readFile(blobFile(directory, digest))).equals(content), digest).toBe(true);
  }
}

/** Sizes of what lies in quarantine. */
export async function quarantined({ path }: TestVault): Promise<number[]> {
  const folder = join(path, 'quarantine');
  const names = (await readdir(folder)).filter((name) => !name.endsWith('.json'));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.sort((a, b) => a - b);
}
