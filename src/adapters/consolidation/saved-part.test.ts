import { appendFile, chmod, link, mkdtemp, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { Source } from '../../vault/subject.ts';
import { identityOf, sameContent } from '../vault/file-identity.ts';
import { hashFile } from '../vault/hashing.ts';
import { type SavedPart, savedPart } from './saved-part.ts';

/** A whole second, so that it can be put back exactly. */
const then = 1_700_000_000;
const signal = new AbortController().signal;
let folder: string;
let path: string;
let part: SavedPart;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aixcl-saved-part-'));
  path = join(folder, 'base.gguf');
  await writeFile(path, 'weights');
  await utimes(path, then, then);
  const { digest } = await hashFile(path, { signal });
  part = await savedPart(await sourceOf(path), {
    files: [{ path: 'base.gguf', digest, size: 7 }],
  } as unknown as Snapshot);
  // Times of files move in steps of some milliseconds.
  await delay(20);
});
afterEach(() => rm(folder, { recursive: true }));

/** As keepers open a model: their look for changes leaves the ctime out. */
async function sourceOf(file: string): Promise<Source> {
  const look = async () => identityOf(await stat(file, { bigint: true }));
  const before = await look();
  return {
    files: [{ path: 'base.gguf', bytes: { kind: 'file', path: file } }],
    async assertUnchanged() {
      if (!sameContent(before, await look())) throw Object.assign(new Error('changed'), { code: 'ENOENT' });
    },
  } as unknown as Source;
}

test('what nobody wrote to is as it was saved, also with another name or mode', async () => {
  expect(await part.isAsSaved(signal)).toBe(true);
  await link(path, join(folder, 'other.gguf'));
  await chmod(path, 0o600);
  expect(await part.isAsSaved(signal)).toBe(true);
});

test('what was written to is noticed, also when its size and its time are put back', async () => {
  await writeFile(path, 'WEIGHTS');
  await utimes(path, then, then);
  expect(await part.isAsSaved(signal)).toBe(false);
});

test.each([
  ['written on', () => appendFile(path, 'x')],
  ['gone', () => rm(path)],
  ['elsewhere', () => rename(path, join(folder, 'moved'))],
])('one that is %s is noticed', async (_what, change) => {
  await change();
  expect(await part.isAsSaved(signal)).toBe(false);
});
