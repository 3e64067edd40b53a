import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { publishFile, publishFolder } from './publish.ts';
import { makeTestDirectory } from './test-directory.ts';

test('a file gets a free name, the very file, and loses the one that it had', async () => {
  await using place = await makeTestDirectory();
  const staged = join(place.elsewhere, 'staged');
  await writeFile(staged, 'new');
  const { ino } = await stat(staged);
  expect(await publishFile(staged, join(place.models, 'a'))).toBe(true);
  expect((await stat(join(place.models, 'a'))).ino).toBe(ino);
  expect(await readdir(place.elsewhere)).toEqual([]);
});

test('a name that was taken at the last moment is not written over', async () => {
  await using place = await makeTestDirectory();
  const staged = join(place.elsewhere, 'staged');
  await writeFile(staged, 'new');
  await writeFile(join(place.models, 'a'), 'old');
  expect(await publishFile(staged, join(place.models, 'a'))).toBe(false);
  expect(await readFile(join(place.models, 'a'), 'utf8')).toBe('old');
  expect(await readFile(staged, 'utf8')).toBe('new');
});

test('of twenty that want one name, one gets it', async () => {
  await using place = await makeTestDirectory();
  const staged = Array.from({ length: 20 }, (_, index) => join(place.elsewhere, String(index)));
  await Promise.all(staged.map((path) => writeFile(path, path)));
  const got = await Promise.all(staged.map((path) => publishFile(path, join(place.models, 'a'))));
  expect(got.filter(Boolean)).toHaveLength(1);
  expect(await readFile(join(place.models, 'a'), 'utf8')).toBe(staged[got.indexOf(true)]);
});

test('a folder takes neither the place of a file nor that of a folder with something in it', async () => {
  await using place = await makeTestDirectory();
  const staged = join(place.elsewhere, 'staged');
  await mkdir(staged);
  await writeFile(join(staged, 'x'), 'new');
  await writeFile(join(place.models, 'file'), 'old');
  await mkdir(join(place.models, 'folder'));
  await writeFile(join(place.models, 'folder', 'x'), 'old');
  expect(await publishFolder(staged, join(place.models, 'file'))).toBe(false);
  expect(await publishFolder(staged, join(place.models, 'folder'))).toBe(false);
  expect(await readFile(join(place.models, 'file'), 'utf8')).toBe('old');
  expect(await readFile(join(place.models, 'folder', 'x'), 'utf8')).toBe('old');
  expect(await publishFolder(staged, join(place.models, 'free'))).toBe(true);
  expect(await readFile(join(place.models, 'free', 'x'), 'utf8')).toBe('new');
});
