import { readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { blobFile, manifestFile, seedStore } from '../../../test/setup/ollama-model.ts';
import { directoryStore } from '../../adapters/ollama/store/test-store.ts';
import { bringModel, observeStores } from './bring-over.ts';
import { planBringOver } from './bring-over-plan.ts';
import { OllamaKeeper } from './keeper.ts';
import { assertWhole, flip, home, quarantined, signal } from './test-keeper.ts';

/** A home, and the store of another Ollama that has `tea`. */
async function stores() {
  const at = await home();
  const other = join(at.vault.root, 'other');
  const store = directoryStore(join(other, 'models'), join(at.vault.path, 'receipts'));
  const from = { store, keeper: new OllamaKeeper({ store, api: at.ollama, signal }) };
  const tea = await seedStore(other, 'tea', { seed: 'tea' });
  const writer = await at.vault.open();
  return {
    ...at,
    other,
    tea,
    /** The model as it was when it was shown. */
    async shown() {
      const [step] = planBringOver(await observeStores(from, at.store));
      return step!.model;
    },
    async bring(model: Awaited<ReturnType<typeof from.keeper.list>>[number]) {
      const into = await at.store.write('test', signal);
      try {
        await bringModel(model, { from, store: at.store, into, writer }, { signal });
      } finally {
        await into[Symbol.asyncDispose]();
      }
    },
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]();
      await at[Symbol.asyncDispose]();
    },
  };
}

test('a model is here as it is there, and nothing but its blobs and its manifest came', async () => {
  await using at = await stores();
  await writeFile(join(at.other, 'id_ed25519'), 'private');
  await writeFile(join(at.other, 'models', 'blobs', `sha256-${'a'.repeat(64)}-partial`), 'half');
  await writeFile(join(at.other, 'models', 'blobs', `sha256-${'b'.repeat(64)}`), 'of no model');
  await at.bring(await at.shown());
  await assertWhole(at.directory, 'tea', at.tea);
  await assertWhole(at.other, 'tea', at.tea);
  expect(await readdir(at.directory)).toEqual(['models']);
  expect((await readdir(join(at.directory, 'models', 'blobs'))).length).toBe(at.tea.blobs.length);
});

test('a blob of other bytes than its name says keeps the model out', async () => {
  await using at = await stores();
  const [weights] = at.tea.blobs;
  await flip(blobFile(at.other, weights!.digest));
  await expect(at.bring(await at.shown())).rejects.toMatchObject({ code: 'verification' });
  expect(await at.store.manifests()).toEqual([]);
  expect((await at.store.blobs()).has(weights!.digest as never)).toBe(false);
});

test('damaged bytes of ours go to quarantine, once the others are known to be right', async () => {
  await using at = await stores();
  await at.seed('milk', at.tea);
  const [weights, template] = at.tea.blobs;
  await flip(blobFile(at.directory, weights!.digest));
  await truncate(blobFile(at.directory, template!.digest), 3);
  await at.bring(await at.shown());
  await assertWhole(at.directory, 'tea', at.tea);
  await assertWhole(at.directory, 'milk', at.tea);
  expect(await quarantined(at.vault)).toEqual([3, weights!.content.length]);
});

test('damaged bytes of ours stay where they are while the others are no better', async () => {
  await using at = await stores();
  await at.seed('milk', at.tea);
  const [weights] = at.tea.blobs;
  await flip(blobFile(at.directory, weights!.digest));
  await flip(blobFile(at.other, weights!.digest));
  await expect(at.bring(await at.shown())).rejects.toMatchObject({ code: 'verification' });
  expect((await at.store.blobs()).has(weights!.digest as never)).toBe(true);
  expect((await at.store.manifests()).map(({ name }) => name.model)).toEqual(['milk']);
});

test('a name that was taken since it was shown is not written over', async () => {
  await using at = await stores();
  const model = await at.shown();
  const fresh = await at.seed('TEA', { seed: 'fresh' });
  await expect(at.bring(model)).rejects.toMatchObject({ code: 'refused' });
  await assertWhole(at.directory, 'TEA', fresh);
  expect(await at.store.manifests()).toHaveLength(1);
});

test('a model that was updated or removed since it was shown does not come half', async () => {
  await using at = await stores();
  const model = await at.shown();
  await seedStore(at.other, 'tea', { seed: 'fresh' });
  await expect(at.bring(model)).rejects.toMatchObject({ code: 'verification' });
  await rm(manifestFile(at.other, 'tea'));
  await expect(at.bring(model)).rejects.toMatchObject({ code: 'notFound' });
  expect(await at.store.manifests()).toEqual([]);
});
