import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { identityOf } from '../vault/file-identity.ts';
import { type Received, settleReceived } from './received.ts';
import { readRecord } from './records.ts';
import { makeTestDirectory, type TestDirectory } from './test-directory.ts';

let place: TestDirectory;
let path: string;
beforeEach(async () => {
  place = await makeTestDirectory();
  await mkdir(join(place.models, '.aixcl', 'uploads', 'one'), { recursive: true });
  path = join(place.models, '.aixcl', 'uploads', 'one', 'bytes');
  await writeFile(path, 'the bytes');
});
afterEach(async () => place[Symbol.asyncDispose]());

const sha256 = createHash('sha256').update('the bytes').digest('hex');

/** What was hashed, before it was on its way to a name. */
async function received(folder = false): Promise<Received> {
  const identity = identityOf(await stat(path, { bigint: true }));
  const model = folder ? 'big' : 'a.gguf';
  return { model, folder, file: 'a.gguf', path, hashed: { sha256, identity } };
}

/** Where files of a folder wait for each other. */
function stagingOf(model: string): string {
  const key = createHash('sha256').update(model).digest('hex').slice(0, 24);
  return join(place.models, '.aixcl', 'uploads', `staged-${key}`);
}

const record = { sha256, source: null, version: null };

test('killed before it had a name: it is received', async () => {
  expect(await settleReceived(place.models, await received())).toBe('received');
  expect(await readFile(path, 'utf8')).toBe('the bytes');
});

test('killed between the new name and the loss of the old one: it has its name, and its record', async () => {
  const upload = await received();
  await link(path, join(place.models, 'a.gguf'));
  expect(await settleReceived(place.models, upload)).toBe('published');
  expect(existsSync(path)).toBe(false);
  expect(await readRecord(place.models, 'a.gguf')).toEqual(record);
});

test('killed before it had its record: it gets it', async () => {
  const upload = await received();
  await rename(path, join(place.models, 'a.gguf'));
  expect(await settleReceived(place.models, upload)).toBe('published');
  expect(await readRecord(place.models, 'a.gguf')).toEqual(record);
});

test('other bytes under the name are not taken for it, also where they are the same text', async () => {
  const upload = await received();
  await writeFile(join(place.models, 'a.gguf'), 'the bytes');
  expect(await settleReceived(place.models, upload)).toBe('received');
  expect(existsSync(path)).toBe(true);
  expect(await readRecord(place.models, 'a.gguf')).toBeUndefined();
});

test('killed while the files of a folder were put together: each is where it was', async () => {
  const upload = await received(true);
  await mkdir(stagingOf('big'));
  await rename(path, join(stagingOf('big'), 'a.gguf'));
  expect(await settleReceived(place.models, upload)).toBe('received');
  expect(await readFile(path, 'utf8')).toBe('the bytes');
  expect(existsSync(stagingOf('big'))).toBe(false);
});

test('killed after the folder had its name: its files have their records', async () => {
  const upload = await received(true);
  await mkdir(join(place.models, 'big'));
  await rename(path, join(place.models, 'big', 'a.gguf'));
  expect(await settleReceived(place.models, upload)).toBe('published');
  expect(await readRecord(place.models, join('big', 'a.gguf'))).toEqual(record);
});

test('neither here nor there: it is gone', async () => {
  const upload = await received();
  await rename(path, join(place.elsewhere, 'away'));
  expect(await settleReceived(place.models, upload)).toBe('gone');
});
