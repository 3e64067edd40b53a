import { link, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { blobFile, manifestFile } from '../../../test/setup/ollama-model.ts';
import type { Digest } from '../../vault/digest.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import { assertWhole, flip, hashName, home, named, quarantined } from './test-keeper.ts';

test('a wrong blob in the way of a restore goes to quarantine and the right one takes its place', async () => {
  await using at = await home();
  const tea = await at.seed('tea');
  await using writer = await at.vault.open();
  const snapshot = await at.backUp(writer, 'tea');
  await rm(manifestFile(at.directory, 'tea'));
  const [zeroed, cut] = tea.blobs;
  await writeFile(blobFile(at.directory, zeroed!.digest), Buffer.alloc(zeroed!.content.length));
  await truncate(blobFile(at.directory, cut!.digest), 3);
  await at.restore(snapshot, writer);
  await assertWhole(at.directory, 'tea', tea);
  expect(await quarantined(at.vault)).toEqual([3, zeroed!.content.length]);
});

test('a restore puts nothing under the name when a blob of the vault is wrong', async () => {
  await using at = await home();
  const tea = await at.seed('tea');
  await using writer = await at.vault.open();
  const proof = await at.saveGoing(writer, 'tea');
  await at.keeper.remove(await at.model('tea'), proof);
  await flip(at.vault.vault.blobPath(hashName(tea.blobs[0]!.digest)));
  await expect(at.restore(proof.snapshot, writer)).rejects.toMatchObject({ code: 'verification' });
  expect(await at.keeper.list()).toEqual([]);
  await expect(stat(blobFile(at.directory, tea.blobs[0]!.digest))).rejects.toThrow();
});

test('what stands under the name is written over only when it was saved as it stands', async () => {
  await using at = await home();
  const old = await at.seed('tea', { seed: 'old' });
  await using writer = await at.vault.open();
  const snapshot = await at.backUp(writer, 'tea');
  const fresh = await at.seed('tea', { seed: 'fresh' });
  await expect(at.restore(snapshot, writer)).rejects.toMatchObject({ code: 'refused' });
  const stale = await at.saveGoing(writer, 'tea');
  const fresher = await at.seed('tea', { seed: 'fresher' });
  await expect(at.restore(snapshot, writer, snapshot.subject, stale)).rejects.toMatchObject({
    code: 'refused',
  });
  await assertWhole(at.directory, 'tea', fresher);
  await at.restore(snapshot, writer, snapshot.subject, await at.saveGoing(writer, 'tea'));
  await assertWhole(at.directory, 'tea', old);
  expect(fresh.digest).not.toBe(old.digest);
});

test('no blob of the store is one file with the vault, whatever was overwritten and brought back', async () => {
  await using at = await home();
  const old = await at.seed('tea', { seed: 'old', noise: 300_000 });
  await using writer = await at.vault.open();
  const first = await at.backUp(writer, 'tea');
  await at.seed('tea', { seed: 'new', noise: 300_000 });
  const proof = await at.saveGoing(writer, 'tea', 'pre_update');
  const blobs = () => readdir(join(at.directory, 'models', 'blobs'));
  const links = async (name: string) => (await stat(join(at.directory, 'models', 'blobs', name))).nlink;
  for (const name of await blobs()) expect(await links(name), name).toBe(1);
  // As a removal leaves it that was broken off.
  const weights = old.blobs[0]!.digest;
  await rm(blobFile(at.directory, weights));
  await link(at.vault.vault.blobPath(weights as Digest), blobFile(at.directory, weights));
  await at.restore(first, writer, first.subject, proof);
  await assertWhole(at.directory, 'tea', old);
  for (const name of await blobs()) expect(await links(name), name).toBe(1);
});

test('a restore under another name, and under one that stands there in other letters', async () => {
  await using at = await home();
  const tea = await at.seed('tea', { seed: 'a' });
  await using writer = await at.vault.open();
  const snapshot = await at.backUp(writer, 'tea');
  await at.restore(snapshot, writer, named('someone/Tea:New'));
  await assertWhole(at.directory, 'someone/Tea:New', tea);
  const standing = await at.saveGoing(writer, 'someone/Tea:New');
  await at.restore(snapshot, writer, named('someone/tea:new'), standing);
  expect((await at.keeper.list()).map(({ subject }) => subject.name)).toEqual([
    'someone/Tea:New',
    'tea:latest',
  ]);
});

test('a snapshot that is no Ollama model, or not all of one, is refused before anything is written', async () => {
  await using at = await home();
  const tea = await at.seed('tea');
  await using writer = await at.vault.open();
  const whole = await at.backUp(writer, 'tea');
  await rm(at.directory, { recursive: true });
  const [manifest, ...rest] = whole.files;
  const broken: Snapshot[] = [
    { ...whole, files: rest },
    { ...whole, files: [manifest!, ...rest.slice(1)] },
    {
      ...whole,
      files: [...whole.files, { ...manifest!, path: 'manifests/registry.ollama.ai/library/other/latest' }],
    },
    { ...whole, files: [...whole.files, { ...manifest!, path: 'id_ed25519' }] },
    { ...whole, files: [{ ...manifest!, path: 'manifests/../../x/y' }, ...rest] },
    { ...whole, files: [manifest!, { ...rest[0]!, digest: rest[1]!.digest }, ...rest.slice(1)] },
    { ...whole, files: [{ ...manifest!, digest: rest[1]!.digest, size: rest[1]!.size }, ...rest] },
  ];
  for (const snapshot of broken) {
    await expect(at.restore(snapshot, writer)).rejects.toMatchObject({ code: 'verification' });
  }
  await expect(stat(at.directory)).rejects.toThrow();
  await at.restore(whole, writer);
  await assertWhole(at.directory, 'tea', tea);
});

test('a disk that is too small is told before anything is written', async () => {
  await using at = await home();
  await at.seed('tea');
  await using writer = await at.vault.open();
  const snapshot = await at.backUp(writer, 'tea');
  await rm(at.directory, { recursive: true });
  at.store.space = async () => ({ free: 1000, total: 1_000_000 });
  await expect(at.restore(snapshot, writer)).rejects.toMatchObject({
    code: 'noSpace',
    message: expect.stringMatching(/\d [kMG]?B are needed .* free$/),
  });
  await expect(stat(at.directory)).rejects.toThrow();
});
