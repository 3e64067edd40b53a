import { readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { blobFile, manifestFile } from '../../../test/setup/ollama-model.ts';
import { save } from '../../vault/save.ts';
import { saveGoing } from '../save-going.ts';
import { assertWhole, hashName, home, saveWish, signal } from './test-keeper.ts';

test('removing and restoring: gone, held, and back bit for bit under fresh times', async () => {
  await using at = await home();
  const tea = await at.seed('tea', { seed: 'a' });
  await at.seed('coffee', { seed: 'b' });
  await using writer = await at.vault.open();
  const proof = await at.saveGoing(writer, 'tea');
  await at.keeper.remove(await at.model('tea'), proof);
  expect(at.ollama.deleted).toEqual(['tea:latest']);
  expect(await at.keeper.find('tea')).toBeUndefined();
  expect(await at.keeper.verify(await at.model('coffee'), { signal })).toEqual([]);
  const began = Date.now();
  const progress: number[] = [];
  await at.keeper.restore(proof.snapshot, {
    vault: at.vault.vault,
    writer,
    target: proof.snapshot.subject,
    standing: 'nothing',
    operation: 'test-2',
    signal,
    onProgress: (done) => progress.push(done),
  });
  await assertWhole(at.directory, 'tea', tea);
  const weights = await stat(blobFile(at.directory, tea.blobs[0]!.digest));
  expect(weights.mtimeMs).toBeGreaterThan(began - 1000);
  // Ollama may write where it reads: what lives and what the vault holds are two files.
  expect(weights.ino).not.toBe((await stat(at.vault.vault.blobPath(hashName(tea.blobs[0]!.digest)))).ino);
  expect(progress.at(-1)).toBe(tea.blobs.reduce((sum, { content }) => sum + content.length, 0));
  expect(await at.keeper.verify(await at.model('tea'), { signal })).toEqual([]);
  expect((await readdir(join(at.directory, 'models'))).sort()).toEqual(['blobs', 'manifests']);
});

test('without a proof of this model, as it stands, nothing is removed', async () => {
  await using at = await home();
  await at.seed('tea', { seed: 'a' });
  await at.seed('coffee', { seed: 'b' });
  await using writer = await at.vault.open();
  const ofCoffee = await at.saveGoing(writer, 'coffee');
  const ofTea = await at.saveGoing(writer, 'tea');
  await expect(at.keeper.remove(await at.model('tea'), ofCoffee)).rejects.toThrow();
  await at.seed('tea', { seed: 'pulled meanwhile' });
  await expect(at.keeper.remove(await at.model('tea'), ofTea)).rejects.toMatchObject({ code: 'refused' });
  const again = await at.saveGoing(writer, 'tea');
  await writer[Symbol.asyncDispose]();
  await expect(at.keeper.remove(await at.model('tea'), again)).rejects.toMatchObject({
    code: 'verification',
  });
  expect(at.ollama.deleted).toEqual([]);
});

test('a backup that lacks a file of the model is no proof for it', async () => {
  await using at = await home();
  await at.seed('tea');
  await using writer = await at.vault.open();
  await using source = await at.keeper.open(await at.model('tea'));
  const files = source.files.slice(0, -1);
  const { subject, facts, assertUnchanged } = source;
  const part = { subject, facts, files, assertUnchanged, [Symbol.asyncDispose]: async () => {} };
  const proof = await save(part, { ...saveWish(writer), way: () => 'copy' });
  await expect(at.keeper.remove(await at.model('tea'), proof)).rejects.toMatchObject({
    code: 'verification',
  });
  expect(at.ollama.deleted).toEqual([]);
});

test('while a manifest can not be used, no other model is removed, and that one goes without a blob', async () => {
  await using at = await home();
  await at.seed('tea', { seed: 'a' });
  const coffee = await at.seed('coffee', { seed: 'a' });
  await truncate(manifestFile(at.directory, 'coffee'), 60);
  await using writer = await at.vault.open();
  const model = await at.model('tea');
  expect(model.held).toMatch(/coffee:latest/);
  const proof = await at.saveGoing(writer, 'tea');
  await expect(at.keeper.remove(model, proof)).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('coffee:latest'),
  });
  expect((await at.model('coffee')).held).toBeNull();
  const ofCoffee = await at.saveGoing(writer, 'coffee');
  expect(ofCoffee.snapshot.damage).not.toBeNull();
  await at.keeper.remove(await at.model('coffee'), ofCoffee);
  expect(at.ollama.deleted).toEqual([]);
  expect(await at.keeper.find('coffee')).toBeUndefined();
  for (const { digest } of coffee.blobs) await stat(blobFile(at.directory, digest));
  await at.keeper.remove(await at.model('tea'), await at.saveGoing(writer, 'tea'));
});

test('an Ollama that keeps its models elsewhere is not asked to delete', async () => {
  await using at = await home();
  await at.seed('tea');
  await using writer = await at.vault.open();
  const proof = await at.saveGoing(writer, 'tea');
  for (const name of ['coffee:latest', 'tea:latest']) {
    at.ollama.digests = async () => new Map([[name, 'a'.repeat(64)]]);
    await expect(at.keeper.remove(await at.model('tea'), proof)).rejects.toMatchObject({ code: 'refused' });
  }
  expect(at.ollama.deleted).toEqual([]);
});

test('a model that Ollama no longer lists, as its config is gone, is removed where all that it lists is in the store', async () => {
  await using at = await home();
  const tea = await at.seed('tea', { seed: 'a' });
  await at.seed('coffee', { seed: 'b', license: null });
  await rm(blobFile(at.directory, tea.blobs.at(-1)!.digest));
  const { digests: all } = at.ollama;
  const unlisted = async (extra: Iterable<[string, string]>) =>
    new Map([...(await all()), ...extra].filter(([name]) => name !== 'tea:latest'));
  await using writer = await at.vault.open();
  const proof = await at.saveGoing(writer, 'tea');
  at.ollama.digests = () => unlisted([['elsewhere:latest', 'b'.repeat(64)]]);
  await expect(at.keeper.remove(await at.model('tea'), proof)).rejects.toMatchObject({ code: 'refused' });
  at.ollama.digests = () => unlisted([]);
  await at.keeper.remove(await at.model('tea'), proof);
  expect(at.ollama.deleted).toEqual(['tea:latest']);
});

test('a model that Ollama does not list for damage that only hashing finds is removed, once its backup tells of it', async () => {
  await using at = await home();
  const tea = await at.seed('tea', { seed: 'a' });
  const config = tea.blobs.at(-1)!;
  await writeFile(blobFile(at.directory, config.digest), Buffer.alloc(config.content.length));
  expect((await at.model('tea')).damage).toBeNull();
  at.ollama.digests = async () => new Map();
  await using writer = await at.vault.open();
  const found = { keeper: at.keeper, model: await at.model('tea') };
  const why = 'its config holds other bytes';
  const damage = { why, files: [`blobs/${config.digest.replace(':', '-')}`] };
  const proof = await saveGoing(found, { ...saveWish(writer), damage });
  await at.keeper.remove(found.model, proof);
  expect(at.ollama.deleted).toEqual(['tea:latest']);
});

test('an Ollama that says it deleted and did not, or took what another needs, is told', async () => {
  await using at = await home();
  const tea = await at.seed('tea', { seed: 'a' });
  await at.seed('coffee', { seed: 'a', template: 'another' });
  await using writer = await at.vault.open();
  const { delete: right } = at.ollama;
  at.ollama.delete = async () => {};
  await expect(at.keeper.remove(await at.model('tea'), await at.saveGoing(writer, 'tea'))).rejects.toThrow(
    'still there',
  );
  at.ollama.delete = async (name) => {
    await right(name);
    await rm(blobFile(at.directory, tea.blobs[0]!.digest));
  };
  await expect(
    at.keeper.remove(await at.model('tea'), await at.saveGoing(writer, 'tea')),
  ).rejects.toMatchObject({
    code: 'verification',
    message: expect.stringContaining('coffee:latest'),
  });
});
