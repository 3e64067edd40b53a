import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeSelfTestModel } from '../../models/self-test-model.ts';
import { writeModelOf, writeSplitModel } from '../../models/test-models.ts';
import { claim } from '../claim.ts';
import { startTestServer } from '../download/test-server.ts';
import { collectionPath } from './collection.ts';
import { modelsDirectoryAt } from './directory.ts';
import { addOne, makeTestDirectory, type TestDirectory } from './test-directory.ts';

let place: TestDirectory;
let original: string;
beforeEach(async () => {
  place = await makeTestDirectory();
  original = join(place.elsewhere, 'a.gguf');
  await writeSelfTestModel(original);
});
afterEach(async () => place[Symbol.asyncDispose]());

async function visible(): Promise<string[]> {
  return (await readdir(place.models)).filter((name) => !name.startsWith('.')).sort();
}

const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

test('a file comes in bit for bit, its source stays, and nothing is left of the way', async () => {
  expect(await addOne(place.models, original)).toMatchObject({ outcome: 'done', target: 'a.gguf' });
  expect((await readFile(join(place.models, 'a.gguf'))).equals(await readFile(original))).toBe(true);
  expect(await visible()).toEqual(['a.gguf']);
  expect(await readdir(join(place.models, '.aixcl', 'incoming'))).toEqual([]);
});

test('the same bytes again are kept, other bytes under the name are refused and stay', async () => {
  await addOne(place.models, original);
  const before = await stat(join(place.models, 'a.gguf'));
  expect(await addOne(place.models, original)).toMatchObject({ kind: 'keep', outcome: 'kept' });
  const other = join(place.elsewhere, 'other.gguf');
  await writeSelfTestModel(other, 'Something quite different.');
  await expect(addOne(place.models, other, { as: 'a.gguf' })).rejects.toMatchObject({ code: 'refused' });
  const same = join(place.elsewhere, 'same-size.gguf');
  const bytes = await readFile(original);
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(same, bytes);
  await expect(addOne(place.models, same, { as: 'a.gguf' })).rejects.toMatchObject({ code: 'refused' });
  expect((await stat(join(place.models, 'a.gguf'))).ino).toBe(before.ino);
  expect((await readFile(join(place.models, 'a.gguf'))).equals(await readFile(original))).toBe(true);
});

test('what is no whole GGUF gets no name', async () => {
  const broken = join(place.elsewhere, 'broken.gguf');
  await writeSelfTestModel(broken);
  await truncate(broken, 100_000);
  await expect(addOne(place.models, broken)).rejects.toMatchObject({ code: 'verification' });
  await writeFile(join(place.elsewhere, 'text.gguf'), 'hello');
  await expect(addOne(place.models, join(place.elsewhere, 'text.gguf'))).rejects.toThrow(
    'does not begin with GGUF',
  );
  expect(await visible()).toEqual([]);
  // Refused before a byte of it was copied.
  expect(existsSync(join(place.models, '.aixcl'))).toBe(false);
});

test('a sum that does not fit gets no name', async () => {
  await expect(addOne(place.models, original, { sha256: '0'.repeat(64) })).rejects.toMatchObject({
    code: 'verification',
  });
  expect(await visible()).toEqual([]);
  const sha256 = digestOf(await readFile(original));
  expect(await addOne(place.models, original, { sha256 })).toMatchObject({ outcome: 'done' });
});

test('names that can be no model are refused with --as as the way out', async () => {
  for (const name of ['-rf.gguf', '._x.gguf', 'a\nb.gguf', 'current.gguf', ' x.gguf']) {
    const hostile = join(place.elsewhere, name);
    await writeSelfTestModel(hostile);
    await expect(addOne(place.models, hostile), name).rejects.toMatchObject({ code: 'usage' });
    expect(await addOne(place.models, hostile, { as: 'ok' })).toMatchObject({ target: 'ok.gguf' });
    await rename(join(place.models, 'ok.gguf'), join(place.elsewhere, 'gone.gguf'));
  }
  await expect(addOne(place.models, original, { as: '../out' })).rejects.toMatchObject({ code: 'usage' });
});

test('every name that is one comes in under exactly that name', async () => {
  const names = [
    'é.gguf'.normalize('NFC'),
    'é.gguf'.normalize('NFD'),
    'CON.gguf',
    `${'a'.repeat(250)}.gguf`,
    '🙂 b.gguf',
  ];
  for (const name of names) {
    const source = join(place.elsewhere, name);
    await writeSelfTestModel(source);
    await addOne(place.models, source);
  }
  expect(await visible()).toEqual([...names].sort());
});

test('a link is followed, and the name is the one that was given', async () => {
  await symlink('a.gguf', join(place.elsewhere, 'link.gguf'));
  expect(await addOne(place.models, join(place.elsewhere, 'link.gguf'))).toMatchObject({
    target: 'link.gguf',
  });
  expect((await stat(join(place.models, 'link.gguf'))).isFile()).toBe(true);
});

test('one shard brings all of them, as a folder that appears whole', async () => {
  const [first, second] = await writeSplitModel(join(place.elsewhere, 'split'), 'big');
  expect(await addOne(place.models, second!)).toMatchObject({ target: 'big', outcome: 'done' });
  expect((await readdir(join(place.models, 'big'))).sort()).toEqual([
    'big-00001-of-00002.gguf',
    'big-00002-of-00002.gguf',
  ]);
  expect(await addOne(place.models, first!)).toMatchObject({ outcome: 'kept' });
  await rename(second!, `${second}.away`);
  await expect(addOne(place.models, first!, { as: 'again' })).rejects.toMatchObject({ code: 'notFound' });
  expect(await visible()).toEqual(['big']);
});

test('a folder with a model and its encoder comes in as one model', async () => {
  const folder = join(place.elsewhere, 'vision');
  await mkdir(folder);
  await writeSelfTestModel(join(folder, 'model.gguf'));
  await writeModelOf('clip', join(folder, 'mmproj.gguf'));
  await writeFile(join(folder, 'README.md'), 'not a model');
  expect(await addOne(place.models, folder)).toMatchObject({ target: 'vision' });
  expect((await readdir(join(place.models, 'vision'))).sort()).toEqual(['mmproj.gguf', 'model.gguf']);
});

test('a folder that has the name already is not touched', async () => {
  await writeSplitModel(join(place.models, 'big'), 'mine', 'This one was here before.');
  const [first] = await writeSplitModel(join(place.elsewhere, 'split'), 'big');
  await expect(addOne(place.models, first!)).rejects.toMatchObject({ code: 'refused' });
  expect((await readdir(join(place.models, 'big'))).sort()).toEqual([
    'mine-00001-of-00002.gguf',
    'mine-00002-of-00002.gguf',
  ]);
});

test('a digest that was recorded is trusted while the file is as it was, and no longer', async () => {
  await addOne(place.models, original);
  const directory = modelsDirectoryAt(place.models);
  const [file] = (await directory.list()).models[0]!.files;
  const sha256 = digestOf(await readFile(original));
  expect(await directory.recordOf(file!)).toEqual({ sha256, source: null, version: null });
  const target = join(place.models, 'a.gguf');
  const like = join(place.elsewhere, 'like');
  execFileSync('touch', ['-r', target, like]);
  const bytes = await readFile(target);
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(target, bytes);
  execFileSync('touch', ['-r', like, target]);
  expect((await stat(target)).mtimeMs).toBe((await stat(like)).mtimeMs);
  expect(await directory.recordOf(file!)).toBeUndefined();
});

test('an address comes in, is cut, and the next run goes on where the first one stopped', async () => {
  const body = await readFile(original);
  await using server = await startTestServer(body, '/m/a.gguf');
  const control = new AbortController();
  server.stallAfter = 100_000;
  const first = addOne(place.models, server.url.href, { signal: control.signal });
  const check = setInterval(() => {
    if (landed() > 0) control.abort(new Error('interrupted'));
  }, 20);
  await expect(first).rejects.toThrow('interrupted');
  clearInterval(check);
  expect(await visible()).toEqual([]);
  server.stallAfter = undefined;
  expect(await addOne(place.models, server.url.href)).toMatchObject({ outcome: 'done', target: 'a.gguf' });
  expect(server.requests.at(-1)).toMatch(/^bytes=[1-9]\d*-$/);
  expect((await readFile(join(place.models, 'a.gguf'))).equals(body)).toBe(true);
  const directory = modelsDirectoryAt(place.models);
  const [file] = (await directory.list()).models[0]!.files;
  expect(await directory.recordOf(file!)).toMatchObject({ source: server.url.href, version: '"one"' });
});

test('what an earlier run left of another version is not gone on with', async () => {
  const body = await readFile(original);
  await using server = await startTestServer(body, '/a.gguf');
  server.stallAfter = 100_000;
  const control = new AbortController();
  const first = addOne(place.models, server.url.href, { signal: control.signal });
  const check = setInterval(() => {
    if (landed() > 0) control.abort(new Error('interrupted'));
  }, 20);
  await expect(first).rejects.toThrow('interrupted');
  clearInterval(check);
  server.stallAfter = undefined;
  const next = join(place.elsewhere, 'next.gguf');
  await writeSelfTestModel(next, 'aixcl woiks: your own machine answered this.');
  server.body = await readFile(next);
  server.etag = '"two"';
  await addOne(place.models, server.url.href);
  expect((await readFile(join(place.models, 'a.gguf'))).equals(server.body)).toBe(true);
});

test('the sum that a source states is held against what came', async () => {
  await using server = await startTestServer(await readFile(original), '/a.gguf');
  server.headers = { 'x-linked-etag': `"${'0'.repeat(64)}"` };
  await expect(addOne(place.models, server.url.href)).rejects.toMatchObject({ code: 'verification' });
  expect(await visible()).toEqual([]);
  server.headers = { 'x-linked-etag': `"${digestOf(server.body)}"` };
  expect(await addOne(place.models, server.url.href)).toMatchObject({ outcome: 'done' });
});

test('an address that is here already is not fetched again while its version is the same', async () => {
  await using server = await startTestServer(await readFile(original), '/a.gguf');
  await addOne(place.models, server.url.href);
  const { sent } = server;
  expect(await addOne(place.models, server.url.href)).toMatchObject({ outcome: 'kept' });
  expect(server.sent - sent).toBeLessThan(10);
  server.etag = '"two"';
  expect(await addOne(place.models, server.url.href)).toMatchObject({ outcome: 'kept' });
  const other = join(place.elsewhere, 'other.gguf');
  await writeSelfTestModel(other, 'aixcl woiks: your own machine answered this.');
  server.body = await readFile(other);
  server.etag = '"three"';
  await expect(addOne(place.models, server.url.href)).rejects.toMatchObject({ code: 'refused' });
  expect((await readFile(join(place.models, 'a.gguf'))).equals(await readFile(original))).toBe(true);
});

test('two that bring the same model do not write into one file', async () => {
  const order = {
    name: 'a.gguf',
    folder: false,
    files: [{ location: { kind: 'path', path: original } }],
  } as unknown as Parameters<typeof collectionPath>[1];
  await using _other = await claim(collectionPath(place.models, order), { what: 'x', holder: 'another' });
  await expect(addOne(place.models, original)).rejects.toMatchObject({ code: 'busy', exitCode: 11 });
});

/** Bytes that have come in and are not under a model's name yet. */
function landed(): number {
  const incoming = join(place.models, '.aixcl', 'incoming');
  if (!existsSync(incoming)) return 0;
  const entries = readdirSync(incoming, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.gguf'));
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}
