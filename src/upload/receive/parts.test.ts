import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readRecord } from '../../adapters/models-directory/records.ts';
import { VaultDirectory } from '../../adapters/vault/vault-directory.ts';
import { writeModelOf, writeSplitModel } from '../../models/test-models.ts';
import { idOf, modelBytes, sha256, type TestReceiving, testReceiving } from './test-receiving.ts';

// Every upload waits for the disk some ten times.
vi.setConfig({ testTimeout: 60_000 });

let own: TestReceiving;
let shards: { readonly name: string; readonly bytes: Buffer }[];
beforeEach(async () => {
  own = await testReceiving();
  shards = await splitModel('I came in two parts.');
});
afterEach(async () => own[Symbol.asyncDispose]());

async function splitModel(sentence: string): Promise<typeof shards> {
  const folder = await mkdtemp(join(tmpdir(), 'aixcl-parts-'));
  const paths = await writeSplitModel(folder, 'big', sentence);
  const read = await Promise.all(
    paths.map(async (path) => ({ name: basename(path), bytes: await readFile(path) })),
  );
  await rm(folder, { recursive: true });
  return read;
}

async function send({ name, bytes }: (typeof shards)[number], metadata = {}): Promise<string> {
  const path = await own.upload(name, bytes, metadata);
  await own.settled();
  return path;
}

const [first, second] = [() => shards[0]!, () => shards[1]!];

test('shards wait for each other, in whatever order they come, and get their names as one folder', async () => {
  await send(second());
  expect(await own.receiving.list()).toMatchObject([
    { file: second().name, model: 'big', phase: 'parts', parts: { count: 2, whole: 1 } },
  ]);
  expect(own.names()).toEqual([]);
  await own.restart();
  await own.settled();
  expect(await own.one()).toMatchObject({ phase: 'parts' });
  await send(first());
  expect(await own.receiving.list()).toEqual([]);
  expect(own.names()).toEqual(['big']);
  expect(readdirSync(join(own.models, 'big')).sort()).toEqual([first().name, second().name]);
  for (const { name, bytes } of shards) {
    expect(sha256(await readFile(join(own.models, 'big', name)))).toBe(sha256(bytes));
    expect(await readRecord(own.models, join('big', name))).toMatchObject({ sha256: sha256(bytes) });
  }
  expect(own.folders()).toEqual([]);
});

test('a model and its projector are named by what is said with them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'aixcl-parts-'));
  await writeModelOf('clip', join(folder, 'mmproj.gguf'));
  const projector = { name: 'mmproj.gguf', bytes: await readFile(join(folder, 'mmproj.gguf')) };
  await rm(folder, { recursive: true });
  const metadata = { model: 'eyes', parts: '2' };
  await send(projector, metadata);
  await send({ name: 'model.gguf', bytes: await modelBytes('I see.') }, metadata);
  expect(own.names()).toEqual(['eyes']);
  expect(readdirSync(join(own.models, 'eyes')).sort()).toEqual(['mmproj.gguf', 'model.gguf']);
});

test('clearing one part leaves the others; the part again makes the model', async () => {
  const path = await send(first());
  await own.send('DELETE', path);
  await send(second());
  expect(await own.receiving.list()).toMatchObject([{ phase: 'parts', parts: { whole: 1 } }]);
  await send(first());
  expect(own.names()).toEqual(['big']);
});

test('parts that make no model are refused; the right one in place of the wrong one makes it', async () => {
  const strange = (await splitModel('I am another, and longer than that.'))[1]!.bytes;
  await send(first());
  const renumbered = await send({ name: second().name, bytes: first().bytes });
  expect(own.names()).toEqual([]);
  expect(await own.one(second().name)).toMatchObject({ phase: 'refused', problem: { code: 'verification' } });
  expect(await own.one(first().name)).toMatchObject({ phase: 'parts' });
  await own.send('DELETE', renumbered);
  await send({ name: second().name, bytes: strange });
  expect(own.names()).toEqual(['big']);
});

test('files of which nobody could say which to load are no model', async () => {
  const bytes = await modelBytes('I am one.');
  const metadata = { model: 'm', parts: '2' };
  await send({ name: 'b.gguf', bytes }, metadata);
  await send({ name: 'c.gguf', bytes }, metadata);
  expect((await own.receiving.list()).map(({ phase }) => phase)).toEqual(['parts', 'refused']);
  expect((await own.one('c.gguf'))?.problem?.detail).toContain('no model.gguf: b.gguf, c.gguf');
  expect(own.names()).toEqual([]);
});

test('a part more than was said is refused', async () => {
  await mkdir(join(own.models, 'big'));
  await writeFile(join(own.models, 'big', 'model.gguf'), await modelBytes('I stood there.'));
  for (const shard of shards) await send(shard);
  await send({ name: 'one-more.gguf', bytes: first().bytes }, { model: 'big', parts: '2' });
  expect((await own.receiving.list()).map(({ phase }) => phase)).toEqual(['exists', 'exists', 'refused']);
});

test('a folder that is there is asked about as a whole; agreed, all of it is saved first', async () => {
  for (const shard of await splitModel('I stood there.')) {
    await mkdir(join(own.models, 'big'), { recursive: true });
    await writeFile(join(own.models, 'big', shard.name), shard.bytes);
  }
  const path = await send(first());
  await send(second());
  expect((await own.receiving.list()).map(({ phase }) => phase)).toEqual(['exists', 'exists']);
  await own.receiving.replace(idOf(path));
  await own.settled();
  expect(await own.receiving.list()).toEqual([]);
  for (const { name, bytes } of shards) {
    expect(sha256(await readFile(join(own.models, 'big', name)))).toBe(sha256(bytes));
    expect(await readRecord(own.models, join('big', name))).toMatchObject({ sha256: sha256(bytes) });
  }
  const vault = new VaultDirectory({ path: join(own.models, '..', 'vault'), ownerOf: own.models });
  expect((await vault.contents()).snapshots).toMatchObject([{ backupType: 'pre_update' }]);
  expect(own.folders()).toEqual([]);
});

test('clearing one of those that ask leaves the others waiting for it', async () => {
  await mkdir(join(own.models, 'big'));
  await writeFile(join(own.models, 'big', 'model.gguf'), await modelBytes('I stood there.'));
  const path = await send(first());
  await send(second());
  await own.send('DELETE', path);
  expect(await own.receiving.list()).toMatchObject([{ file: second().name, phase: 'parts' }]);
});
