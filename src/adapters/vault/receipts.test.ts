import { link, readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { identityOf } from './file-identity.ts';
import { openRegular } from './hashing.ts';
import { Receipts } from './receipts.ts';
import { type LiveFile, TestVault } from './test-vault.ts';

test('tells of a file that it is the one that was hashed, until it is written to, linked or replaced', async () => {
  await using home = await TestVault.make();
  const receipts = new Receipts(join(home.root, 'vault', 'receipts'));
  const changes = [
    (path: string) => writeFile(path, Buffer.alloc(5000)),
    (path: string) => utimes(path, 1, 1),
    (path: string) => link(path, `${path}-2`),
    (path: string) => truncate(path, 4999),
  ];
  for (const [at, change] of changes.entries()) {
    const file = await home.live(`a${at}`);
    await record(receipts, file);
    expect((await receipts.find(await identity(file)))?.digest).toBe(file.digest);
    await change(file.full);
    expect(await receipts.find(await identity(file))).toBeUndefined();
  }
});

test('is no help when it was torn or scribbled on', async () => {
  await using home = await TestVault.make();
  const folder = join(home.root, 'vault', 'receipts');
  const receipts = new Receipts(folder);
  const file = await home.live('a');
  for (const damage of ['', 'x', '5000 1 2 sha256:zz 2026-01-01T00:00:00.000Z "x"\n']) {
    await record(receipts, file);
    const [name] = await readdir(folder);
    await writeFile(join(folder, name as string), damage);
    expect(await receipts.find(await identity(file))).toBeUndefined();
  }
});

test('is not written of a file that changed since it was hashed', async () => {
  await using home = await TestVault.make();
  const receipts = new Receipts(join(home.root, 'vault', 'receipts'));
  const file = await home.live('a');
  const before = await identity(file);
  await utimes(file.full, 1, 1);
  await using handle = await openRegular(file.full);
  await receipts.record(handle, file.full, before, file.digest);
  expect(await receipts.find(await identity(file))).toBeUndefined();
});

test('is swept when its file is gone or changed, and kept when it stands', async () => {
  await using home = await TestVault.make();
  const folder = join(home.root, 'vault', 'receipts');
  const receipts = new Receipts(folder);
  const [stands, goes, changes] = [await home.live('a'), await home.live('b'), await home.live('c')];
  for (const file of [stands, goes, changes]) await record(receipts, file);
  await rm(goes.full);
  await writeFile(changes.full, 'other');
  expect(await receipts.sweep()).toBe(2);
  expect(await receipts.find(await identity(stands))).toBeDefined();
});

test('a folder that can not be written is no failure', async () => {
  await using home = await TestVault.make();
  await writeFile(join(home.root, 'vault'), 'a file');
  const receipts = new Receipts(join(home.root, 'vault', 'receipts'));
  await record(receipts, await home.live('a'));
});

async function record(receipts: Receipts, file: LiveFile): Promise<void> {
  await using handle = await openRegular(file.full);
  await receipts.record(handle, file.full, await identity(file), file.digest);
}

async function identity(file: LiveFile) {
  await using handle = await openRegular(file.full);
  return identityOf(await handle.stat({ bigint: true }));
}
