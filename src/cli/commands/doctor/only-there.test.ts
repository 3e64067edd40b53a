import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { seedStore } from '../../../../test/setup/ollama-model.ts';
import { oldStoreText } from './move-text.ts';
import { filesOnlyThere } from './only-there.ts';
import { compare, sightOfFolder } from './store-sight.ts';

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

/** An Ollama of theirs with tea, which is in ours too. */
async function scene({ below = '' } = {}) {
  const root = await mkdtemp(join(tmpdir(), 'aixcl-only-there-'));
  folders.push(root);
  const theirs = join(root, 'theirs', below);
  const ours = join(root, 'ours');
  for (const store of [theirs, ours]) await seedStore(store, 'tea', { seed: 'tea' });
  return {
    theirs,
    ours,
    only: async () => filesOnlyThere(join(root, 'theirs'), await sightOfFolder(join(ours, 'models'))),
  };
}

async function put(folder: string, path: string): Promise<string> {
  await mkdir(join(folder, path, '..'), { recursive: true });
  await writeFile(join(folder, path), 'x');
  return path;
}

test.each(['', '.ollama'])(
  'beside models that are here, its key, history and partials are no loss (%s)',
  async (below) => {
    const { theirs, only } = await scene({ below });
    for (const path of ['id_ed25519', 'id_ed25519.pub', 'history']) await put(theirs, path);
    await put(theirs, `models/blobs/sha256-${'a'.repeat(64)}-partial-0`);
    await mkdir(join(theirs, 'empty'));
    expect(await only()).toEqual([]);
  },
);

test('weights without a manifest, adapters, links and manifests that nothing reads are', async () => {
  const { theirs, only } = await scene();
  const orphan = await put(theirs, `models/blobs/sha256-${'a'.repeat(64)}`);
  const adapter = await put(theirs, 'adapters/id_ed25519');
  const odd = await put(theirs, 'models/manifests/odd');
  await symlink('/etc/hosts', join(theirs, 'link'));
  expect(await only()).toEqual([adapter, 'link', orphan, odd].sort());
});

test('so are a model of another name and its bytes, but those that ours has whole', async () => {
  const { theirs, ours, only } = await scene();
  const milk = await seedStore(theirs, 'milk', { seed: 'milk' });
  const places = milk.blobs.map(({ digest }) => `models/blobs/${digest.replace(':', '-')}`);
  const own = [places[0]!, places.at(-1)!];
  const manifest = 'models/manifests/registry.ollama.ai/library/milk/latest';
  expect(await only()).toEqual([...own, manifest].sort());
  await put(ours, own[0]!);
  expect(await only()).toContain(own[0]);
  await seedStore(ours, 'other', milk);
  await writeFile(join(ours, own[0]!), milk.blobs[0]!.content);
  expect(await only()).toEqual([manifest]);
});

test('of what is not there nobody knows what is in it', async () => {
  const { ours } = await scene();
  const sight = await sightOfFolder(join(ours, 'models'));
  expect(await filesOnlyThere(join(ours, 'gone'), sight)).toBeNull();
});

test('models whose name is another’s here are told apart from those that can come', async () => {
  const { theirs, ours } = await scene();
  await seedStore(theirs, 'mocha', { seed: 'theirs' });
  await seedStore(ours, 'mocha', { seed: 'ours' });
  await seedStore(theirs, 'milk', { seed: 'milk' });
  const [one, other] = await Promise.all([theirs, ours].map((store) => sightOfFolder(join(store, 'models'))));
  const { here, taken, missingBytes } = compare(one!, other!);
  expect({ here, taken }).toEqual({ here: 1, taken: ['mocha:latest'] });
  expect(missingBytes).toBeGreaterThan(500_000);
});

test('an old store may go where nothing goes with it that is not here', () => {
  const store = { place: 'volume v', removal: 'docker volume rm v', root: '/volumes/v' };
  expect(oldStoreText(store, true, [])).toContain('After that it may go: docker volume rm v');
  const more = oldStoreText(store, true, ['adapters/mine.gguf']);
  expect(more).toContain('1 file that is not here: adapters/mine.gguf');
  expect(more).toContain('aixcl backups create /volumes/v');
  for (const text of [more, oldStoreText(store, true, null), oldStoreText(store, false, null)])
    expect(text).not.toContain('docker volume rm');
});
