import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from '../../src/adapters/durable.ts';
import { openRegular } from '../../src/adapters/vault/hashing.ts';
import { assertDigest, chunksOf, land, makeNew } from '../../src/adapters/vault/land.ts';
import { VaultDirectory } from '../../src/adapters/vault/vault-directory.ts';
import { digestOf } from '../../src/vault/digest.ts';
import { backUp, save } from '../../src/vault/save.ts';
import type { Source } from '../../src/vault/subject.ts';
import type { Vault, VaultWriter } from '../../src/vault/vault.ts';

/** What one measured process does: `vault-work.mjs WORK VAULT FOLDER`. Tells its peak memory, in bytes, on stdout. */
async function vaultWork([work, path, folder]: readonly string[]): Promise<void> {
  if (!work || !path || !folder) throw new Error('vault-work WORK VAULT FOLDER');
  const vault = new VaultDirectory({ path, ownerOf: folder });
  const job = jobs[work];
  if (!job) throw new Error(`no such work: ${work}`);
  await job(vault, folder);
  process.stdout.write(`${process.resourceUsage().maxRSS * 1024}\n`);
}

const { signal } = new AbortController();

const jobs: Readonly<Record<string, (vault: Vault, folder: string) => Promise<void>>> = {
  backup: (vault, folder) =>
    writing(vault, async (writer) => {
      await backUp(await sourceOf(folder), { ...draft, writer, recheck: false });
    }),
  verify: (vault) =>
    writing(vault, async (writer) => {
      const { snapshots } = await vault.contents();
      const files = snapshots.flatMap((snapshot) => snapshot.files);
      await Promise.all(files.map(({ digest, size }) => writer.rehash(digest, size, { signal })));
    }),
  async restore(vault, folder) {
    const { snapshots } = await vault.contents();
    await mkdir(folder, { recursive: true });
    const files = snapshots.flatMap((snapshot) => snapshot.files);
    await Promise.all(
      files.map(async ({ path, digest, size }) => {
        await using from = await openRegular(vault.blobPath(digest));
        await using to = await makeNew(join(folder, path));
        assertDigest(await land(chunksOf(from, path), to, size, { signal }), digest, path);
      }),
    );
    await syncDirectory(folder);
  },
  remove: (vault, folder) =>
    writing(vault, async (writer) => {
      const source = await sourceOf(folder, true);
      const proof = await save(source, { ...draft, writer, way: () => 'link' });
      await proof.assertCovers(source.subject);
      for (const { path } of source.files) await rm(join(folder, path));
      await syncDirectory(folder);
    }),
};

const draft = {
  backupType: 'emergency',
  reason: 'a benchmark',
  operation: 'bench-1',
  created: new Date(),
  signal,
} as const;

async function writing(vault: Vault, work: (writer: VaultWriter) => Promise<void>): Promise<void> {
  const writer = await vault.open({ holder: 'bench', operation: 'bench-1', patience: 0, signal });
  try {
    await work(writer);
  } finally {
    await writer[Symbol.asyncDispose]();
  }
}

/** A folder of blobs, each called by its hash, as Ollama has them. */
async function sourceOf(folder: string, proven = false): Promise<Source> {
  const names = (await readdir(folder)).sort();
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const bytes = { kind: 'file' as const, path };
      return { path: name, size: (await stat(path)).size, digest: digestOf(name), proven, bytes };
    }),
  );
  return {
    subject: { runtime: 'ollama', name: folder },
    files,
    facts: {},
    assertUnchanged: async () => {},
    async [Symbol.asyncDispose]() {},
  };
}

await vaultWork(process.argv.slice(2));
