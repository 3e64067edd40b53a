import {
  chmod,
  chown,
  mkdir,
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
import { asNobody } from '../test-nobody.ts';
import { takeOver } from './made-file.ts';

const by = { by: 'the merge command', signal: new AbortController().signal };
const isRoot = process.getuid?.() === 0;
const nobody = 65_534;
let folder: string;
let output: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aixcl-made-file-'));
  output = join(folder, 'merged.gguf');
  if (isRoot) await chown(folder, nobody, 0);
});
afterEach(() => rm(folder, { recursive: true }));

/** What `path` is after it was taken over by one who is not root. */
async function takenOver(path: string): Promise<{ readonly mode: string; readonly content: string }> {
  await asNobody(() => takeOver(path, folder, by));
  const { mode } = await stat(path);
  return { mode: (mode & 0o777).toString(8), content: await readFile(path, 'utf8') };
}

test.each([0o400, 0o444, 0o000])('a file of ours of the mode %i becomes readable to all', async (mode) => {
  await writeFile(output, 'weights');
  if (isRoot) await chown(output, nobody, nobody);
  await chmod(output, mode);
  expect(await takenOver(output)).toEqual({ mode: '644', content: 'weights' });
});

test.runIf(isRoot)("a file of another's that may be read becomes ours, by a copy", async () => {
  await writeFile(output, 'weights', { mode: 0o644 });
  expect(await takenOver(output)).toEqual({ mode: '644', content: 'weights' });
  expect((await stat(output)).uid).toBe(nobody);
  expect(await readdir(folder)).toEqual(['merged.gguf']);
});

test.runIf(isRoot)("a file of another's that may not be read is told as that", async () => {
  await writeFile(output, 'weights');
  await chmod(output, 0o600);
  await expect(takenOver(output)).rejects.toMatchObject({
    code: 'verification',
    message: "what the merge command left at OUTPUT can't be read by this user",
  });
});

test('what is no file of its own is told as what it is', async () => {
  await mkdir(output);
  await expect(takenOver(output)).rejects.toThrow('a folder');
  await rm(output, { recursive: true });
  await symlink('/dev/zero', output);
  await expect(takenOver(output)).rejects.toThrow('a link');
});
