import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { asNobody } from '../test-nobody.ts';
import { readEvolution } from './evolution-folder.ts';
import { findTrainingData, recordTrainingData } from './training-data.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'aixcl-run-'));
});
afterEach(() => rm(root, { recursive: true }));

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

test('JSON and JSON lines are kept from any depth, in the order of their numbers; the rest is told', async () => {
  await write({ 'step-10/a.json': '{"loss":1}', 'step-9/a.json': '{"loss":2}', 'x.JSONL': 'no', 'y.pt': '' });
  await symlink('step-9/a.json', join(root, 'link.json'));
  const found = await readEvolution(root);
  expect(found.files.map(({ path }) => path)).toEqual(['step-9/a.json', 'step-10/a.json', 'x.JSONL']);
  expect(found.left).toEqual(['link.json', 'y.pt']);
  expect(found.metrics).toMatchObject([{ name: 'loss', points: 2, first: 2, last: 1 }]);
  expect(found.problems).toEqual(['x.JSONL: 1 line is no JSON']);
  expect(found.size).toBe(22);
});

test('a run that goes on while it is kept is noticed', async () => {
  await write({ 'a.jsonl': '{"loss":1}\n' });
  const found = await readEvolution(root);
  await found.assertUnchanged();
  await writeFile(join(root, 'a.jsonl'), '{"loss":1}\n{"loss":2}\n');
  await expect(found.assertUnchanged()).rejects.toMatchObject({ code: 'refused' });
});

test.each([
  ['nothing', 'notFound'],
  ['file.json', 'usage'],
  ['empty', 'usage'],
])('%s is no folder with snapshots of a run', async (name, code) => {
  await write({ 'file.json': '{}', 'empty/readme': '' });
  await expect(readEvolution(join(root, name))).rejects.toMatchObject({ code });
});

test('a snapshot that this user may not read is named', async () => {
  await asNobody(async () => {
    const own = await mkdtemp(join(tmpdir(), 'aixcl-run-'));
    await writeFile(join(own, 'a.json'), '{}', { mode: 0o000 });
    await expect(readEvolution(own)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('a.json'),
    });
    await rm(own, { recursive: true });
  });
});

test('training data is recorded file by file, each once, with its size and hash; links lead to what they name', async () => {
  await write({ 'data/a': 'abc', 'data/deep/b': '' });
  await symlink('data', join(root, 'link'));
  const inputs = await findTrainingData([join(root, 'data'), join(root, 'data', 'a'), join(root, 'link')]);
  const seen: number[] = [];
  const recorded = await recordTrainingData(inputs, {
    signal: new AbortController().signal,
    onProgress: (done) => seen.push(done),
  });
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  const none = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
  expect(recorded).toEqual([
    { path: join(root, 'data/a'), size: 3, sha256: abc },
    { path: join(root, 'data/deep/b'), size: 0, sha256: none },
    { path: join(root, 'link/a'), size: 3, sha256: abc },
    { path: join(root, 'link/deep/b'), size: 0, sha256: none },
  ]);
  expect(Math.max(...seen)).toBe(6);
  expect(await readFile(join(root, 'data/a'), 'utf8')).toBe('abc');
});

test.each([
  ['nothing', 'notFound'],
  ['empty', 'usage'],
])('training data that is %s is an error', async (name, code) => {
  await mkdir(join(root, 'empty'));
  await expect(findTrainingData([join(root, name)])).rejects.toMatchObject({ code });
});
