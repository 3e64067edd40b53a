import { existsSync } from 'node:fs';
import { chmod, lstat, mkdir, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Keeper } from '../../models/keeper.ts';
import { compareStanding } from '../../models/restore.ts';
import { backUp, save } from '../../vault/save.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { VaultWriter, WorkOptions } from '../../vault/vault.ts';
import type { VerifiedBackup } from '../../vault/verified-backup.ts';
import { asNobody } from '../test-nobody.ts';
import { TestVault } from '../vault/test-vault.ts';
import { directoryKeeper } from './keeper.ts';

const { signal } = new AbortController();
const written = new Date('2020-02-02T02:02:02.222Z');
let place: TestVault;
let keeper: Keeper;
let keys: string;
beforeEach(async () => {
  place = await TestVault.make();
  keeper = directoryKeeper({ home: join(place.root, 'home'), vault: place.path });
  keys = join(place.root, 'keys');
  await mkdir(join(keys, 'deep', 'empty'), { recursive: true });
  for (const [path, mode] of [
    ['key', 0o600],
    ['deep/read', 0o440],
  ] as const) {
    await writeFile(join(keys, path), path);
    await chmod(join(keys, path), mode);
    await utimes(join(keys, path), written, written);
  }
  await symlink('key', join(keys, 'link'));
  for (const [path, mode] of [
    ['deep/empty', 0o711],
    ['deep', 0o550],
    ['', 0o700],
  ] as const) {
    await utimes(join(keys, path), written, written);
    await chmod(join(keys, path), mode);
  }
});
afterEach(() => place[Symbol.asyncDispose]());

const all = ['', 'key', 'deep', 'deep/read', 'deep/empty'];

/** Modes and times below a folder. */
async function attributes(root: string): Promise<unknown[]> {
  return await Promise.all(
    all.map(async (path) => {
      const { mode, mtimeMs } = await lstat(join(root, path));
      return [path, (mode & 0o7777).toString(8), Math.round(mtimeMs)];
    }),
  );
}

async function snapshotOf(path: string): Promise<Snapshot> {
  await using writer = await place.open();
  const model = (await keeper.find(path))!;
  await using source = await keeper.open(model);
  return await backUp(source, { ...wish, writer, recheck: false });
}

const wish = {
  operation: 'test-1',
  backupType: 'emergency',
  reason: '',
  created: new Date(Date.now() - 1000),
  signal,
} as const;

async function restored(
  snapshot: Snapshot,
  path: string,
  { standing = false, ...options }: Partial<WorkOptions> & { standing?: boolean } = {},
): Promise<void> {
  await using writer = await place.open();
  let proof: VerifiedBackup | 'nothing' = 'nothing';
  if (standing) {
    await using source = await keeper.open((await keeper.find(path))!);
    proof = await save(source, { ...wish, writer, way: () => 'link' });
  }
  const target = { runtime: 'directory', name: path } as const;
  const places = { vault: place.vault, writer, target, operation: 'test-1', standing: proof };
  await keeper.restore(snapshot, { ...places, signal, ...options });
}

test('modes and times of files and folders come back, also over what stands there and elsewhere', async () => {
  const before = await attributes(keys);
  const snapshot = await snapshotOf(keys);
  await chmod(keys, 0o755);
  await chmod(join(keys, 'key'), 0o644);
  await writeFile(join(keys, 'key'), 'spoilt');
  await restored(snapshot, keys, { standing: true });
  expect(await attributes(keys)).toEqual(before);
  expect(await readFile(join(keys, 'key'), 'utf8')).toBe('key');
  await restored(snapshot, join(place.root, 'copy'));
  expect(await attributes(join(place.root, 'copy'))).toEqual(before);
});

test('set-user-id and its kin are not kept', async () => {
  await chmod(join(keys, 'key'), 0o6755);
  await restored(await snapshotOf(keys), join(place.root, 'copy'));
  expect((await lstat(join(place.root, 'copy', 'key'))).mode & 0o7777).toBe(0o755);
});

test('while it is put back, nobody else can look into it', async () => {
  const snapshot = await snapshotOf(keys);
  const modes = new Set<number>();
  const copy = join(place.root, 'copy');
  const staged = join(dirname(copy), '.copy.aixcl-new-test-1');
  const { lstatSync } = await import('node:fs');
  await restored(snapshot, copy, {
    onProgress: () => {
      if (existsSync(staged)) modes.add(lstatSync(staged).mode & 0o777);
    },
  });
  expect([...modes]).toEqual([0o700]);
});

test('a snapshot from before modes were kept comes back as it did, into no wider folder than stands there', async () => {
  const { facts, ...rest } = await snapshotOf(keys);
  const older = { ...rest, facts: { links: facts.links } };
  const copy = join(place.root, 'copy');
  await restored(older, copy);
  expect((await lstat(join(copy, 'key'))).mode & 0o777).toBe(0o644);
  await mkdir(join(place.root, 'mine'), { mode: 0o700 });
  await restored(older, join(place.root, 'mine'));
  expect((await lstat(join(place.root, 'mine'))).mode & 0o777).toBe(0o700);
});

test('modes, links and empty folders that changed are no longer the same', async () => {
  const snapshot = await snapshotOf(keys);
  const kind = async () =>
    (await compareStanding({ keeper, model: (await keeper.find(keys))! }, snapshot, { signal })).kind;
  expect(await kind()).toBe('same');
  await chmod(join(keys, 'key'), 0o644);
  expect(await kind()).toBe('other');
  await chmod(join(keys, 'key'), 0o600);
  expect(await kind()).toBe('same');
  await symlink('deep', join(keys, 'more'));
  expect(await kind()).toBe('other');
});

test('a folder that may not lose its name stays, and it is told where that is not allowed', async () => {
  await asNobody(async () => {
    const nobodys = await TestVault.make();
    const kept = directoryKeeper({ home: join(nobodys.root, 'home'), vault: nobodys.path });
    const parent = join(nobodys.root, 'parent');
    const folder = join(parent, 'folder');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'file'), 'x');
    await chmod(parent, 0o500);
    const writer = await nobodys.open();
    const model = (await kept.find(folder))!;
    const proof = await save(await kept.open(model), { ...wish, writer, way: () => 'link' });
    await expect(kept.remove(model, proof)).rejects.toMatchObject({
      code: 'refused',
      hint: `ls -ld ${parent}`,
    });
    expect(await readFile(join(folder, 'file'), 'utf8')).toBe('x');
    await chmod(parent, 0o700);
    await writer[Symbol.asyncDispose]();
    await nobodys[Symbol.asyncDispose]();
  });
});

test('what can only be read makes room like the rest', async () => {
  await asNobody(async () => {
    const nobodys = await TestVault.make();
    const kept = directoryKeeper({ home: join(nobodys.root, 'home'), vault: nobodys.path });
    const folder = join(nobodys.root, 'folder');
    await mkdir(join(folder, 'read'), { recursive: true });
    await writeFile(join(folder, 'read', 'file'), 'x');
    await chmod(join(folder, 'read'), 0o500);
    const writer = await nobodys.open();
    const source = await kept.open((await kept.find(folder))!);
    const proof = await save(source, { ...wish, writer, way: () => 'link' });
    await chmod(join(folder, 'read'), 0o500);
    const target = { runtime: 'directory', name: folder } as const;
    const places = { vault: nobodys.vault, writer, target, operation: 'test-2', standing: proof };
    await kept.restore(proof.snapshot, { ...places, signal });
    expect((await lstat(join(folder, 'read'))).mode & 0o777).toBe(0o500);
    await writer[Symbol.asyncDispose]();
    await chmod(join(folder, 'read'), 0o700);
    await nobodys[Symbol.asyncDispose]();
  });
});

async function saved(path: string, writer: VaultWriter): Promise<VerifiedBackup> {
  await using source = await keeper.open((await keeper.find(path))!);
  return await save(source, { ...wish, writer, way: () => 'link' });
}

test('a folder that is taken away leaves nothing, and comes back as it was', async () => {
  const before = await attributes(keys);
  const writer = await place.open();
  const proof = await saved(keys, writer);
  await keeper.remove((await keeper.find(keys))!, proof);
  await writer[Symbol.asyncDispose]();
  expect(await readdir(place.root)).not.toContain('keys');
  expect((await readdir(place.root)).filter((name) => name.startsWith('.keys'))).toEqual([]);
  expect(await keeper.unfinished?.()).toBe(false);
  await restored(proof.snapshot, keys);
  expect(await attributes(keys)).toEqual(before);
});

test('so does a single file', async () => {
  const path = join(place.root, 'lora.gguf');
  await writeFile(path, 'GGUF');
  const writer = await place.open();
  const proof = await saved(path, writer);
  await keeper.remove((await keeper.find(path))!, proof);
  await writer[Symbol.asyncDispose]();
  expect(existsSync(path)).toBe(false);
  await restored(proof.snapshot, path);
  expect(await readFile(path, 'utf8')).toBe('GGUF');
});

test('a folder stays, all of it, without a proof of this run, of it, and of all that lies in it', async () => {
  const other = join(place.root, 'other');
  await mkdir(other);
  await writeFile(join(other, 'file'), 'x');
  await using writer = await place.open();
  const model = (await keeper.find(keys))!;
  await expect(keeper.remove(model, await saved(other, writer))).rejects.toMatchObject({
    code: 'verification',
  });
  const proof = await saved(keys, writer);
  await writeFile(join(keys, 'new'), 'y');
  await expect(keeper.remove((await keeper.find(keys))!, proof)).rejects.toMatchObject({
    code: 'verification',
  });
  // As it was seen before something came in.
  await expect(keeper.remove(model, proof)).rejects.toMatchObject({ code: 'refused' });
  expect((await readdir(keys)).sort()).toEqual(['deep', 'key', 'link', 'new']);
  expect(await keeper.unfinished?.()).toBe(false);
  await writer[Symbol.asyncDispose]();
  await expect(keeper.remove((await keeper.find(other))!, proof)).rejects.toThrow();
  expect(await readdir(other)).toEqual(['file']);
});

test.each([
  ['a file', 'is a file', (path: string) => writeFile(path, 'x')],
  ['a link', 'is a link', (path: string) => symlink(keys, path)],
])('%s is no folder, and said to be what it is', async (_, text, make) => {
  const path = join(place.root, 'thing');
  await make(path);
  await expect(keeper.find(path)).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining(text),
  });
});
