import { randomBytes } from 'node:crypto';
import { truncateSync, utimesSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hashFile, openRegular } from './hashing.ts';
import { hashOf } from './test-vault.ts';

let folder: string;
let path: string;
const { signal } = new AbortController();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aixcl-hash-'));
  path = join(folder, 'file');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test.each([0, 1, 1024 * 1024, 1024 * 1024 + 1, 70_000_000])(
  '%i bytes hash to what they are',
  async (size) => {
    const content = randomBytes(size);
    await writeFile(path, content);
    const told: number[] = [];
    const { digest, identity } = await hashFile(path, { signal, onProgress: (done) => told.push(done) });
    expect(digest).toBe(hashOf(content));
    expect(identity.size).toBe(size);
    expect(told.at(-1)).toBe(size);
  },
);

test('several at once each get their own', async () => {
  const contents = Array.from({ length: 9 }, () => randomBytes(3_000_000));
  const paths = contents.map((_, at) => `${path}-${at}`);
  await Promise.all(contents.map((content, at) => writeFile(paths[at] as string, content)));
  const found = await Promise.all(paths.map((each) => hashFile(each, { signal })));
  expect(found.map(({ digest }) => digest)).toEqual(contents.map(hashOf));
});

test('a file that changes while it is hashed is hashed again', async () => {
  const content = randomBytes(2_000_000);
  await writeFile(path, content);
  let changes = 0;
  const { digest } = await hashFile(path, {
    signal,
    onProgress: () => {
      if (changes++ === 0) touch();
    },
  });
  expect([digest, changes]).toEqual([hashOf(content), 2]);
});

test('one that changes again is an error that names it', async () => {
  await writeFile(path, randomBytes(2_000_000));
  const hashing = hashFile(path, { signal, onProgress: () => touch() });
  await expect(hashing).rejects.toMatchObject({ code: 'refused', message: expect.stringContaining(path) });
});

test('one that becomes shorter is an error too', async () => {
  await writeFile(path, randomBytes(40_000_000));
  const hashing = hashFile(path, { signal, onProgress: () => truncateSync(path, 5) });
  await expect(hashing).rejects.toMatchObject({ code: 'refused' });
});

test('hashing ends when the command is interrupted', async () => {
  await writeFile(path, randomBytes(70_000_000));
  const interrupted = new AbortController();
  const onProgress = () => interrupted.abort(new Error('enough'));
  await expect(hashFile(path, { signal: interrupted.signal, onProgress })).rejects.toThrow('enough');
});

test('a file that is held open is read whatever became of its name', async () => {
  await writeFile(path, 'held');
  await using held = await openRegular(path);
  await rm(path);
  await using again = await openRegular(path, held.fd);
  expect(await again.readFile('utf8')).toBe('held');
});

/** At once, as hashing goes on meanwhile. */
function touch(): void {
  utimesSync(path, Date.now() / 1000, Math.random() * 1e9);
}
