import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { contentOf, faultHome, faultTest, savedIn, writeModel } from './lab/fault-test.ts';

const hostile = [
  '-rf',
  '--help',
  'two\nlines',
  'tab\there',
  '._x',
  '.hidden',
  'CON',
  'a b  c ',
  ' lead',
  'star*?[x]',
  'quote\'"`$(id)',
  'back\\slash',
  'nfc-\u00e9',
  'nfd-e\u0301',
  '\u202egnp.exe',
  'x'.repeat(255),
  '%00%2f..',
  'index.json',
  'manifest',
];

faultTest('35: files of a folder come back under the very names that they had', async () => {
  await using home = await faultHome();
  const folder = join(home.scratch, 'adapter');
  for (const [index, name] of hostile.entries()) {
    await mkdir(join(folder, 'below', name), { recursive: true });
    await writeFile(join(folder, name), `file ${index}`);
    await writeFile(join(folder, 'below', name, name), `deep ${index}`);
  }
  await mkdir(join(folder, 'empty', 'er'), { recursive: true });
  const whole = await contentOf(folder);
  expect(Object.keys(whole!)).toHaveLength(2 * hostile.length);
  await home.must(['backups', 'create', folder]);
  const archive = join(home.scratch, 'hostile.tar');
  await home.must(['vault', 'export', archive, 'b0001']);
  await rm(folder, { recursive: true });
  await home.must(['backups', 'restore', 'b0001', '--yes']);
  expect(await contentOf(folder)).toEqual(whole);
  expect(await readdir(join(folder, 'empty'))).toEqual(['er']);
  // Names go through an archive too.
  await using other = await faultHome();
  await other.must(['vault', 'import', archive]);
  await other.must(['backups', 'restore', 'b0001', '--to', join(other.scratch, 'there'), '--yes']);
  expect(await contentOf(join(other.scratch, 'there'))).toEqual(whole);
});

faultTest('35: a name that is not UTF-8 is refused and named, not bent into another', async () => {
  await using home = await faultHome();
  const folder = join(home.scratch, 'adapter');
  await mkdir(folder);
  await writeFile(join(folder, 'plain'), 'x');
  await rename(join(folder, 'plain'), Buffer.concat([Buffer.from(`${folder}/latin-`), Buffer.from([0xe9])]));
  const { code, stderr } = await home.run(['backups', 'create', folder]);
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/UTF-8/);
  expect(await savedIn(home.vault)).toEqual([]);
});

faultTest(
  '35: a model whose name says something to a shell or an option parser is saved, removed and brought back',
  async () => {
    await using home = await faultHome();
    for (const name of [
      'nfc-\u00e9.gguf',
      'nfd-e\u0301.gguf',
      'a b  c.gguf',
      'quote\'"$(id).gguf',
      'CON.gguf',
      'b0001.gguf',
    ]) {
      const file = join(home.models, name);
      await writeModel(file, name);
      const whole = await contentOf(file);
      await home.must(['models', 'remove', '--yes', '--', name]);
      expect(await contentOf(file)).toBeUndefined();
      await home.must(['undo', '--yes']);
      expect(await contentOf(file)).toEqual(whole);
      expect(dirname(file)).toBe(home.models);
    }
  },
);
