import { randomBytes } from 'node:crypto';
import { truncate } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { openRegular } from './hashing.ts';
import { looksWhole } from './looks-whole.ts';
import { TestVault } from './test-vault.ts';

const size = 4 * 1024 * 1024;

test.each([
  ['what was written', randomBytes(size), true],
  ['what is small', randomBytes(10), true],
  ['zeros', Buffer.alloc(size), false],
  ['a part, and zeros', Buffer.concat([randomBytes(size / 2), Buffer.alloc(size / 2)]), false],
])('%s: whole or not', async (_, content, expected) => {
  await using home = await TestVault.make();
  const file = await home.live('a', content);
  await using handle = await openRegular(file.full);
  expect(await looksWhole(handle, file.size)).toBe(expected);
});

test('a file with holes is not whole, whatever lies between them', async () => {
  await using home = await TestVault.make();
  const file = await home.live('a', randomBytes(size));
  await truncate(file.full, size + size / 4);
  await using handle = await openRegular(file.full);
  expect(await looksWhole(handle, size + size / 4)).toBe(false);
});

test('a file of another size is not whole', async () => {
  await using home = await TestVault.make();
  const file = await home.live('a');
  await using handle = await openRegular(file.full);
  expect(await looksWhole(handle, file.size + 1)).toBe(false);
});
