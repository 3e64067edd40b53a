import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Keeper } from '../../models/keeper.ts';
import { parseModelName } from '../../models/model-name.ts';
import { writeSelfTestModel } from '../../models/self-test-model.ts';
import { writeSplitModel } from '../../models/test-models.ts';
import { save } from '../../vault/save.ts';
import type { Vault, VaultWriter } from '../../vault/vault.ts';
import type { VerifiedBackup } from '../../vault/verified-backup.ts';
import { VaultDirectory } from '../vault/vault-directory.ts';
import { modelsDirectoryAt } from './directory.ts';
import { ggufKeeper } from './keeper.ts';
import { readRecord, writeRecord } from './records.ts';
import { makeTestDirectory, type TestDirectory } from './test-directory.ts';

const { signal } = new AbortController();
let place: TestDirectory;
let models: string;
let vault: Vault;
let keeper: Keeper;
beforeEach(async () => {
  place = await makeTestDirectory();
  models = place.models;
  vault = new VaultDirectory({ path: join(models, '..', 'vault'), ownerOf: models });
  keeper = ggufKeeper(models, (digest) => vault.blobPath(digest));
});
afterEach(() => place[Symbol.asyncDispose]());

let operations = 0;
async function withWriter<T>(work: (writer: VaultWriter, operation: string) => Promise<T>): Promise<T> {
  operations += 1;
  const operation = `test-${operations}`;
  const writer = await vault.open({ holder: 'test', operation, patience: 0, signal });
  try {
    return await work(writer, operation);
  } finally {
    await writer[Symbol.asyncDispose]();
  }
}

async function saved(name: string, writer: VaultWriter, operation: string): Promise<VerifiedBackup> {
  const model = (await keeper.find(name))!;
  const source = await keeper.open(model);
  return await save(source, {
    writer,
    operation,
    backupType: 'pre_deletion',
    reason: 'test',
    created: new Date(),
    way: () => 'link',
    signal,
  });
}

async function removed(name: string): Promise<VerifiedBackup> {
  return await withWriter(async (writer, operation) => {
    const model = (await keeper.find(name))!;
    const proof = await saved(name, writer, operation);
    await keeper.remove(model, proof);
    return proof;
  });
}

async function restored(proof: VerifiedBackup, name = proof.snapshot.subject.name): Promise<void> {
  await withWriter((writer, operation) =>
    keeper.restore(proof.snapshot, {
      vault,
      writer,
      operation,
      target: { runtime: 'llama-server', name },
      standing: 'nothing',
      signal,
    }),
  );
}

test('a model is gone after remove, and comes back bit for bit with its arguments and its origin', async () => {
  await writeSelfTestModel(join(models, 'tea.gguf'));
  const directory = modelsDirectoryAt(models);
  const name = parseModelName('tea.gguf');
  await directory.writeArguments(name, ['--ctx-size', '512']);
  await keeper.verify((await keeper.find('tea.gguf'))!, { signal });
  const { sha256 } = (await readRecord(models, 'tea.gguf'))!;
  await writeRecord(
    models,
    'tea.gguf',
    { sha256, source: 'https://example.org/tea.gguf', version: '"1"' },
    undefined,
  );
  const bytes = await readFile(join(models, 'tea.gguf'));

  const proof = await removed('tea.gguf');
  expect(proof.good).toBe(true);
  expect(await keeper.find('tea.gguf')).toBeUndefined();
  expect(await directory.readArguments(name)).toEqual([]);

  await restored(proof);
  expect(await readFile(join(models, 'tea.gguf'))).toEqual(bytes);
  expect((await stat(join(models, 'tea.gguf'))).mode & 0o777).toBe(0o644);
  expect(await directory.readArguments(name)).toEqual(['--ctx-size', '512']);
  expect(await readRecord(models, 'tea.gguf')).toEqual({
    sha256,
    source: 'https://example.org/tea.gguf',
    version: '"1"',
  });
});

test('a restored model shares no inode with the vault', async () => {
  await writeSelfTestModel(join(models, 'tea.gguf'));
  const proof = await removed('tea.gguf');
  await restored(proof);
  await appendFile(join(models, 'tea.gguf'), 'scribble');
  await withWriter((writer) =>
    writer.rehash(proof.snapshot.files[0]!.digest, proof.snapshot.files[0]!.size, { signal }),
  );
});

test('a folder goes and comes back with all that lies in it, also what is no model', async () => {
  const folder = join(models, 'vision');
  await mkdir(join(folder, 'notes', 'empty'), { recursive: true });
  await writeSelfTestModel(join(folder, 'model.gguf'));
  await writeSelfTestModel(join(folder, 'mmproj.gguf'), 'projector');
  await writeFile(join(folder, 'notes', 'README'), 'read me');
  await symlink('notes/README', join(folder, 'README'));
  const proof = await removed('vision');
  expect(existsSync(folder)).toBe(false);
  await restored(proof);
  expect(await readFile(join(folder, 'README'), 'utf8')).toBe('read me');
  expect(existsSync(join(folder, 'notes', 'empty'))).toBe(true);
  expect((await keeper.find('vision'))?.damage).toBeNull();
});

test('shards side by side are one model, and can come back under another stem', async () => {
  await writeSplitModel(models, 'big');
  const proof = await removed('big-00001-of-00002.gguf');
  expect((await keeper.list()).length).toBe(0);
  await restored(proof, 'huge-00001-of-00002.gguf');
  expect((await keeper.list()).map(({ subject, damage }) => [subject.name, damage])).toEqual([
    ['huge-00001-of-00002.gguf', null],
  ]);
});

test('a model that changed after it was saved stays', async () => {
  await writeSelfTestModel(join(models, 'tea.gguf'));
  await withWriter(async (writer, operation) => {
    const model = (await keeper.find('tea.gguf'))!;
    const proof = await saved('tea.gguf', writer, operation);
    await rm(join(models, 'tea.gguf'));
    await writeSelfTestModel(join(models, 'tea.gguf'), 'Other bytes.');
    await expect(keeper.remove(model, proof)).rejects.toMatchObject({ code: 'refused' });
  });
  expect(existsSync(join(models, 'tea.gguf'))).toBe(true);
});

test('a proof of another model removes nothing', async () => {
  await writeSelfTestModel(join(models, 'tea.gguf'));
  await writeSelfTestModel(join(models, 'milk.gguf'), 'milk');
  await withWriter(async (writer, operation) => {
    const proof = await saved('milk.gguf', writer, operation);
    const tea = (await keeper.find('tea.gguf'))!;
    await expect(keeper.remove(tea, proof)).rejects.toMatchObject({ code: 'verification' });
  });
  expect(existsSync(join(models, 'tea.gguf'))).toBe(true);
});

test('a model whose shards are not all there is saved only in part, and says what is missing', async () => {
  const [, second] = await writeSplitModel(models, 'big');
  await rm(second!);
  const model = (await keeper.find('big-00001-of-00002.gguf'))!;
  await expect(keeper.open(model)).rejects.toMatchObject({ code: 'verification' });
  const source = await keeper.open(model, { partial: true });
  expect(source.facts.missing).toEqual(['big-00002-of-00002.gguf']);
});

test('verify names the file whose bytes are not those that were recorded, and mend brings them back', async () => {
  await writeSelfTestModel(join(models, 'tea.gguf'));
  const bytes = await readFile(join(models, 'tea.gguf'));
  const proof = await withWriter((writer, operation) => savedByCopy('tea.gguf', writer, operation));
  expect(await keeper.verify((await keeper.find('tea.gguf'))!, { signal })).toEqual([]);
  const wrong = Buffer.from(bytes);
  wrong[wrong.length - 5] = wrong[wrong.length - 5]! ^ 1;
  await writeFile(join(models, 'tea.gguf'), wrong);

  const model = (await keeper.find('tea.gguf'))!;
  const [damaged, ...more] = await keeper.verify(model, { signal });
  expect(more).toEqual([]);
  expect(damaged).toMatchObject({ path: 'tea.gguf', digest: proof.snapshot.files[0]?.digest });
  await withWriter((writer) => keeper.mend(model, damaged!, { vault, writer, fetched: null, signal }));
  expect(await readFile(join(models, 'tea.gguf'))).toEqual(bytes);
  expect(await keeper.verify((await keeper.find('tea.gguf'))!, { signal })).toEqual([]);
});

async function savedByCopy(name: string, writer: VaultWriter, operation: string): Promise<VerifiedBackup> {
  const source = await keeper.open((await keeper.find(name))!);
  return await save(source, {
    writer,
    operation,
    backupType: 'emergency',
    reason: '',
    created: new Date(),
    way: () => 'copy',
    signal,
  });
}

test('what has the name by then is not written over by a restore of nothing standing', async () => {
  await writeSelfTestModel(join(models, 'tea.gguf'));
  const proof = await removed('tea.gguf');
  await writeSelfTestModel(join(models, 'tea.gguf'), 'Other bytes.');
  await expect(restored(proof)).rejects.toMatchObject({ code: 'refused' });
  await writeFile(join(models, 'plain.gguf'), 'no model');
  await expect(restored(proof, 'plain.gguf')).rejects.toMatchObject({ code: 'refused' });
});

test.each([
  ['a file', 'tea.gguf', () => writeSelfTestModel(join(models, 'tea.gguf'), 'Other bytes.')],
  [
    'a folder',
    'vision',
    async () => {
      await mkdir(join(models, 'vision'));
      await writeSelfTestModel(join(models, 'vision', 'model.gguf'), 'Other bytes.');
    },
  ],
])('%s that stands is replaced under its proof, and is in the vault then', async (_, name, writeOther) => {
  if (name === 'vision') await mkdir(join(models, name));
  await writeSelfTestModel(join(models, ...(name === 'vision' ? [name, 'model.gguf'] : [name])));
  const proof = await removed(name);
  await writeOther();
  const standing = await withWriter(async (writer, operation) => {
    const other = await saved(name, writer, operation);
    const target = { runtime: 'llama-server', name } as const;
    await keeper.restore(proof.snapshot, { vault, writer, operation, target, standing: other, signal });
    return other;
  });
  const model = (await keeper.find(name))!;
  await keeper.verify(model, { signal });
  expect((await keeper.find(name))?.files.map(({ digest }) => digest)).toEqual(
    proof.snapshot.files.map(({ digest }) => digest),
  );
  expect(await vault.blobs().then((blobs) => blobs.get(standing.snapshot.files[0]!.digest)?.shared)).toBe(
    false,
  );
  expect(
    existsSync(join(models, '.aixcl', 'outgoing')) && (await stat(join(models, '.aixcl', 'outgoing'))).size,
  ).not.toBe(undefined);
});

test('a link is held, as it has no bytes to lose', async () => {
  await writeSelfTestModel(join(models, 'tea.gguf'));
  await symlink('tea.gguf', join(models, 'alias.gguf'));
  expect((await keeper.find('alias.gguf'))?.held).toContain('is a link');
});

test('a model that was saved with other bytes than were added is still known for that when it is back', async () => {
  await writeSelfTestModel(join(models, 'tea.gguf'));
  await keeper.verify((await keeper.find('tea.gguf'))!, { signal });
  const bytes = await readFile(join(models, 'tea.gguf'));
  bytes[bytes.length - 5] = bytes[bytes.length - 5]! ^ 1;
  await writeFile(join(models, 'tea.gguf'), bytes);
  const proof = await withWriter(async (writer, operation) => {
    const model = (await keeper.find('tea.gguf'))!;
    const wish = { writer, operation, reason: '', created: new Date(), way: () => 'link' as const, signal };
    const kept = await save(await keeper.open(model), {
      ...wish,
      backupType: 'pre_deletion',
      damaged: 'keep',
    });
    await keeper.remove(model, kept);
    return kept;
  });
  expect(proof.good).toBe(false);
  await restored(proof);
  expect(await readFile(join(models, 'tea.gguf'))).toEqual(bytes);
  // Never taken for what it should be: it would be saved under that digest.
  expect((await keeper.find('tea.gguf'))?.files[0]?.digest).toBeNull();
  expect((await keeper.verify((await keeper.find('tea.gguf'))!, { signal })).length).toBe(1);
});

test('a file that took the place of one that was added is no damage', async () => {
  await writeSelfTestModel(join(models, 'tea.gguf'));
  await keeper.verify((await keeper.find('tea.gguf'))!, { signal });
  await writeSelfTestModel(join(models, 'new'), 'Other bytes.');
  await rename(join(models, 'new'), join(models, 'tea.gguf'));
  expect(await keeper.verify((await keeper.find('tea.gguf'))!, { signal })).toEqual([]);
  const { origins, expected } = (await keeper.open((await keeper.find('tea.gguf'))!)).facts;
  expect({ origins, expected }).toEqual({
    origins: { 'tea.gguf': { source: null, version: null } },
    expected: {},
  });
});
