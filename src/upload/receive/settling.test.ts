import { mkdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { journalAt } from '../../adapters/journal.ts';
import { modelsDirectoryAt } from '../../adapters/models-directory/directory.ts';
import { readRecord } from '../../adapters/models-directory/records.ts';
import { VaultDirectory } from '../../adapters/vault/vault-directory.ts';
import { idOf, modelBytes, sha256, type TestReceiving, testReceiving } from './test-receiving.ts';

// Every upload waits for the disk some ten times.
vi.setConfig({ testTimeout: 60_000 });

let own: TestReceiving;
let bytes: Buffer;
let others: Buffer;
beforeEach(async () => {
  own = await testReceiving();
  bytes = await modelBytes('It came in by an upload.');
  others = await modelBytes('It stood there before.');
});
afterEach(async () => own[Symbol.asyncDispose]());

const standing = async (name: string) => sha256(await readFile(join(own.models, name)));

test('an upload becomes a model bit for bit, with a record of its hash, and nothing is left of the way', async () => {
  const path = await own.upload('a.gguf', bytes, { sha256: sha256(bytes) });
  await own.settled();
  expect(own.names()).toEqual(['a.gguf']);
  expect(await standing('a.gguf')).toBe(sha256(bytes));
  expect(await readRecord(own.models, 'a.gguf')).toEqual({
    sha256: sha256(bytes),
    source: null,
    version: null,
  });
  expect(own.folders()).toEqual([]);
  expect(await own.receiving.list()).toEqual([]);
  // Whose answer to the last bytes was lost is told that they came.
  expect(await own.offset(path)).toBe(bytes.length);
});

test('what gets its name is in the journal, for as long as it takes', async () => {
  await own.upload('a.gguf', bytes);
  await own.settled();
  const { entries } = await journalAt(join(own.models, '..', 'journal'), async () => undefined).read();
  expect(entries.map(({ event }) => event)).toEqual(['begin', 'step', 'end']);
  expect(entries[0]).toMatchObject({ command: 'models add (page)', targets: ['a.gguf'] });
});

test('a sha256 that does not fit: refused with both sums, kept until it is cleared', async () => {
  const path = await own.upload('a.gguf', bytes, { sha256: '0'.repeat(64) });
  await own.settled();
  const upload = await own.one();
  expect(upload).toMatchObject({ phase: 'refused', problem: { code: 'verification', status: 422 } });
  expect(upload?.problem?.detail).toContain(sha256(bytes));
  expect(own.names()).toEqual([]);
  await own.receiving.check(idOf(path));
  await own.settled();
  expect(await own.one()).toMatchObject({ phase: 'refused' });
  await own.restart();
  expect(await own.one()).toMatchObject({ phase: 'refused', received: bytes.length });
  expect((await own.send('DELETE', path)).status).toBe(204);
  expect(own.folders()).toEqual([]);
  expect((await own.send('DELETE', path)).status).toBe(404);
});

test('what was refused for a reason that is gone is a model once it is checked again', async () => {
  const path = await own.upload('a.gguf', bytes);
  await own.settled();
  // Served: nothing takes its place.
  await writeFile(join(own.models, '.active_model'), 'a.gguf\n');
  const again = await own.upload('a.gguf', others);
  await own.settled();
  expect(await own.one()).toMatchObject({ phase: 'refused', problem: { code: 'refused' } });
  expect((await own.one())?.problem?.detail).toContain('llama-server serves');
  await writeFile(join(own.models, '.active_model'), 'b.gguf\n');
  await own.receiving.check(idOf(again));
  await own.settled();
  expect(await own.one()).toMatchObject({ phase: 'exists', problem: null });
  expect(path).not.toBe(again);
});

test('a name that other bytes have is asked about; agreed, those are saved first', async () => {
  await writeFile(join(own.models, 'a.gguf'), others);
  const path = await own.upload('a.gguf', bytes);
  await own.settled();
  expect(await own.one()).toMatchObject({ phase: 'exists', problem: null });
  expect(await standing('a.gguf')).toBe(sha256(others));
  await own.restart();
  await own.settled();
  expect(await own.one()).toMatchObject({ phase: 'exists' });
  await own.receiving.replace(idOf(path));
  await own.settled();
  expect(await own.receiving.list()).toEqual([]);
  expect(await standing('a.gguf')).toBe(sha256(bytes));
  expect(await readRecord(own.models, 'a.gguf')).toMatchObject({ sha256: sha256(bytes) });
  const vault = new VaultDirectory({ path: join(own.models, '..', 'vault'), ownerOf: own.models });
  const { snapshots } = await vault.contents();
  expect(snapshots).toMatchObject([
    { backupType: 'pre_update', files: [{ path: 'a.gguf', digest: `sha256:${sha256(others)}` }] },
  ]);
});

test('what was agreed beforehand is not asked', async () => {
  await writeFile(join(own.models, 'a.gguf'), others);
  await own.upload('a.gguf', bytes, { replace: 'yes' });
  await own.settled();
  expect(await standing('a.gguf')).toBe(sha256(bytes));
});

test('the same bytes under the name: nothing changes and the upload goes', async () => {
  await writeFile(join(own.models, 'a.gguf'), bytes);
  const before = await stat(join(own.models, 'a.gguf'));
  await own.upload('a.gguf', bytes);
  await own.settled();
  expect(await own.receiving.list()).toEqual([]);
  expect((await stat(join(own.models, 'a.gguf'))).ino).toBe(before.ino);
  expect(own.folders()).toEqual([]);
});

test('what a hand puts under the name while it is checked is not written over', async () => {
  const path = await own.announce('a.gguf', bytes.length);
  await own.patch(path, bytes.subarray(0, 1000));
  await mkdir(join(own.models, 'a.gguf'));
  await writeFile(join(own.models, 'a.gguf', 'note.txt'), 'mine');
  await own.patch(path, bytes.subarray(1000), 1000);
  await own.settled();
  expect(await own.one()).toMatchObject({ phase: 'exists' });
  await own.receiving.replace(idOf(path));
  await own.settled();
  expect(await own.one()).toMatchObject({ phase: 'refused', problem: { code: 'refused' } });
  expect(await readFile(join(own.models, 'a.gguf', 'note.txt'), 'utf8')).toBe('mine');
});

test('two that say the same, and one that comes late: 404 or 409, and no crash', async () => {
  await writeFile(join(own.models, 'a.gguf'), others);
  const path = await own.upload('a.gguf', bytes);
  await own.settled();
  const answers = await Promise.allSettled([1, 2].map(() => own.receiving.replace(idOf(path))));
  expect(answers.map(({ status }) => status)).toContain('fulfilled');
  await own.settled();
  expect(await standing('a.gguf')).toBe(sha256(bytes));
  await expect(own.receiving.replace(idOf(path))).rejects.toMatchObject({ code: 'notFound' });
  await expect(own.receiving.check(idOf(path))).rejects.toMatchObject({ code: 'notFound' });
  const waiting = await own.announce('b.gguf', 10);
  await expect(own.receiving.replace(idOf(waiting))).rejects.toMatchObject({ code: 'refused' });
  await expect(own.receiving.check(idOf(waiting))).rejects.toMatchObject({ code: 'refused' });
});

test('a clearing while it is checked ends the check', async () => {
  const large = Buffer.concat([bytes, Buffer.alloc(64 * 2 ** 20)]);
  const path = await own.upload('a.gguf', large);
  expect(await own.one()).toMatchObject({ phase: 'checking' });
  expect((await own.send('DELETE', path)).status).toBe(204);
  expect(await own.receiving.list()).toEqual([]);
  expect(own.names()).toEqual([]);
  expect(own.folders()).toEqual([]);
});

test('neither list nor activation of models sees anything of an upload', async () => {
  await own.announce('a.gguf', bytes.length);
  const { models, unusable } = await modelsDirectoryAt(own.models).list();
  expect([models, unusable]).toEqual([[], []]);
});

test('a file that is written to while it is checked gets no name', async () => {
  const large = Buffer.concat([bytes, Buffer.alloc(64 * 2 ** 20)]);
  const path = await own.announce('a.gguf', large.length);
  const file = join(own.models, '.aixcl', 'uploads', idOf(path), 'bytes');
  await own.patch(path, large);
  let writing = true;
  const writer = (async () => {
    for (let second = 1; writing; second++) await utimes(file, second, second).catch(() => {});
  })();
  await own.settled();
  writing = false;
  await writer;
  expect(await own.one()).toMatchObject({ phase: 'refused' });
  expect((await own.one())?.problem?.detail).toContain('changes while it is read');
  await own.receiving.check(idOf(path));
  await own.settled();
  expect(own.names()).toEqual(['a.gguf']);
});
