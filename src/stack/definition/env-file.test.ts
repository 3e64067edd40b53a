import {
  chmod,
  chown,
  lstat,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseDotenv } from './dotenv.ts';
import { setInEnv, updateEnvFile } from './env-file.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aixcl-env-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('only the named keys change; comments, order, spacing and other keys stay', () => {
  const before = '# mine\nA = 1 # why\n\nexport B="two\nlines"\n# A=9\nC=3';
  expect(setInEnv(before, { A: '/new', D: 'x y' })).toBe(
    '# mine\nA = /new # why\n\nexport B="two\nlines"\n# A=9\nC=3\nD=\'x y\'\n',
  );
});

test('what looks like an assignment inside a quoted value is left alone', () => {
  expect(setInEnv('B="x\nA=1\n"\n', { A: '2' })).toBe('B="x\nA=1\n"\nA=2\n');
});

test('of two assignments the one that counts is changed, and a bare name gets its value', () => {
  expect(setInEnv('A=1\nA=2\nB\n', { A: '3', B: '4' })).toBe('A=1\nA=3\nB=4\n');
});

test('Windows line ends stay', () => {
  expect(setInEnv('A=1\r\nB=2\r\n', { A: '3', C: '4' })).toBe('A=3\r\nB=2\r\nC=4\r\n');
});

test('any value reads back as it was set', () => {
  const letters = ['a', ' ', '#', '$', '{', '}', '"', "'", '\\', '\n', '\r', '=', 'é'];
  for (let seed = 0; seed < 3000; seed++) {
    const value = Array.from(
      { length: seed % 7 },
      (_, i) => letters[(seed * (i + 3) + i * i) % letters.length],
    ).join('');
    const written = setInEnv('X=1\nKEY="old" # c\n', { KEY: value });
    expect(Object.fromEntries(parseDotenv(written))).toEqual({ X: '1', KEY: value });
  }
});

test('a file is made where there was none, and left alone where nothing changes', async () => {
  const path = join(folder, '.env');
  expect(await updateEnvFile(path, { A: '1' })).toBe(true);
  expect(await readFile(path, 'utf8')).toMatch(/^# .*\nA=1\n$/);
  const { mtimeMs, ino } = await stat(path);
  expect(await updateEnvFile(path, { A: '1' })).toBe(false);
  expect(await stat(path)).toMatchObject({ mtimeMs, ino });
});

test('a new file is for the owner of its folder alone, as it may hold what lets you in elsewhere', async () => {
  const path = join(folder, '.env');
  const owner = process.getuid?.() === 0 ? 12_345 : (await stat(folder)).uid;
  if (process.getuid?.() === 0) await chown(folder, owner, owner);
  await updateEnvFile(path, { A: '1' });
  const { mode, uid } = await stat(path);
  expect([mode & 0o777, uid]).toEqual([0o600, owner]);
});

test('the mode stays, a link is followed, and no temporary file remains', async () => {
  const real = join(folder, 'real');
  const link = join(folder, '.env');
  await writeFile(real, 'A=1\n');
  await chmod(real, 0o600);
  await symlink('real', link);
  await updateEnvFile(link, { A: '2' });
  expect(await readFile(real, 'utf8')).toBe('A=2\n');
  expect((await stat(real)).mode & 0o777).toBe(0o600);
  expect((await lstat(link)).isSymbolicLink()).toBe(true);
  expect((await readdir(folder)).toSorted()).toEqual(['.env', 'real']);
});

test('a file that is no env file is not touched', async () => {
  const path = join(folder, '.env');
  await writeFile(path, 'A=1\nB="open\n');
  await expect(updateEnvFile(path, { A: '2' })).rejects.toMatchObject({
    code: 'usage',
    message: `${path}:2: a value whose " is not closed`,
  });
  expect(await readFile(path, 'utf8')).toBe('A=1\nB="open\n');
});
