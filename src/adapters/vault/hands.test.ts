import type * as Files from 'node:fs/promises';
import { copyFile, readFile, stat } from 'node:fs/promises';
import { beforeEach, expect, test, vi } from 'vitest';
import type { Hands } from '../../vault/hands.ts';
import { hashOf, options, TestVault } from './test-vault.ts';
import { VaultDirectory } from './vault-directory.ts';

/** What this process may not do with live files; as root it may do everything. */
const forbidden = vi.hoisted(() => ({ link: false, open: false }));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof Files>();
  const refuse = (call: string) =>
    Promise.reject(Object.assign(new Error(`EACCES: ${call}`), { code: 'EACCES' }));
  return {
    ...real,
    link: (from: string, to: string) =>
      forbidden.link && from.includes('/live/') ? refuse('link') : real.link(from, to),
    open: (path: string, ...rest: []) =>
      forbidden.open && path.includes('/live/') ? refuse('open') : real.open(path, ...rest),
  };
});

beforeEach(() => Object.assign(forbidden, { link: false, open: false }));

const asked: string[] = [];
const hands = async (): Promise<Hands> => ({
  async link(from, to) {
    asked.push('link');
    const { link } = await vi.importActual<typeof Files>('node:fs/promises');
    await link(from, to);
    return true;
  },
  async copy(from, to) {
    asked.push('copy');
    await copyFile(from, to);
  },
});

test.each([
  ['link', { link: true, open: false }, ['link']],
  ['link', { link: true, open: true }, ['link']],
  ['copy', { link: true, open: true }, ['copy']],
] as const)('%s of a file of another user: helping hands are asked (%j)', async (way, what, expected) => {
  await using home = await TestVault.make();
  asked.length = 0;
  const file = await home.live('a');
  const vault = new VaultDirectory({ path: home.path, ownerOf: home.root, hands });
  const wish = { holder: 'x', operation: 'x', patience: 0, signal: options(way).signal };
  await using writer = await vault.open(wish);
  Object.assign(forbidden, what);
  const evidence = await writer.takeIn(file, options(way));
  expect(asked).toEqual(expected);
  expect(hashOf(await home.read(evidence.digest))).toBe(file.digest);
  expect((await stat(file.full)).nlink).toBe(way === 'link' ? 2 : 1);
});

test('damaged bytes that can not be linked are copied into quarantine before their old name goes', async () => {
  await using home = await TestVault.make();
  const file = await home.live('a');
  await using writer = await home.open();
  forbidden.link = true;
  const place = await writer.quarantine(file, { move: true, why: 'a test' });
  expect(hashOf(await readFile(place))).toBe(file.digest);
  await expect(stat(file.full)).rejects.toThrow('ENOENT');
});

test('without them a file that can be read but not linked is copied, and one that can not be read is refused', async () => {
  await using home = await TestVault.make();
  const file = await home.live('a');
  await using writer = await home.open();
  forbidden.link = true;
  expect((await writer.takeIn(file, options('link'))).how).toBe('rehashed');
  forbidden.open = true;
  const other = { ...file, digest: null };
  await expect(writer.takeIn(other, options('copy'))).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining(file.full),
  });
});
