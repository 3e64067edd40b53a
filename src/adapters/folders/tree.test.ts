import { execFileSync } from 'node:child_process';
import { chmod, link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { asNobody } from '../test-nobody.ts';
import { readTree } from './tree.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'aixcl-tree-'));
});
afterEach(() => rm(root, { recursive: true }));

test('every file is found, however deep and however it is called', async () => {
  const names = ['a', '-rf', '.hidden', 'line\nbreak', 'caf\u00e9', 'cafe\u0301', 'x'.repeat(255), 'CON'];
  await mkdir(join(root, 'deep', 'er'), { recursive: true });
  for (const name of names) await writeFile(join(root, 'deep', 'er', name), name);
  const { files, odd } = await readTree(root);
  expect(files.map(({ path }) => path).sort()).toEqual(names.map((name) => `deep/er/${name}`).sort());
  expect(odd).toEqual([]);
});

test('empty folders and links are told apart from files, and no link is followed', async () => {
  await mkdir(join(root, 'empty'));
  await mkdir(join(root, 'full'));
  await writeFile(join(root, 'full', 'run'), '', { mode: 0o755 });
  await symlink('/etc', join(root, 'etc'));
  const tree = await readTree(root);
  expect(tree.emptyFolders).toEqual(['empty']);
  expect(tree.links).toEqual([{ path: 'etc', target: '/etc' }]);
  expect(tree.files).toMatchObject([{ path: 'full/run', executable: true, names: 1 }]);
});

test('a file with a second name says so', async () => {
  await writeFile(join(root, 'one'), 'x');
  await link(join(root, 'one'), join(root, 'two'));
  expect((await readTree(root)).files.map(({ names }) => names)).toEqual([2, 2]);
});

test('what can not be kept is named, never passed over in silence', async () => {
  execFileSync('mkfifo', [join(root, 'pipe')]);
  await writeFile(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0x41])]), 'x');
  const { odd, files } = await readTree(root);
  expect(odd.map(({ why }) => why).sort()).toEqual([
    'it is neither file, folder nor link',
    'its name is not UTF-8',
  ]);
  expect(files).toEqual([]);
});

test('a folder that can not be read is named', async () => {
  await mkdir(join(root, 'closed'));
  await chmod(join(root, 'closed'), 0);
  await chmod(root, 0o755);
  await asNobody(async () => {
    expect((await readTree(root)).odd).toEqual([
      { path: 'closed', why: 'it is a folder that this user can not look into' },
    ]);
  });
});
