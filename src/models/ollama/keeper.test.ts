import { appendFile, rm, truncate, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import {
  blobFile,
  type OllamaModel as Made,
  manifestFile,
  ollamaModel,
} from '../../../test/setup/ollama-model.ts';
import { flip, hashName, home, named, signal } from './test-keeper.ts';

test('models are listed as Ollama spells them, with their files and who shares them', async () => {
  await using at = await home();
  const tea = await at.seed('tea', { seed: 'a' });
  await at.seed('tea:two', { seed: 'b' });
  await at.seed('someone/other', { seed: 'a', template: null });
  const list = await at.keeper.list();
  expect(list.map(({ subject }) => subject.name)).toEqual(['someone/other:latest', 'tea:latest', 'tea:two']);
  const [, found] = list;
  expect(found).toMatchObject({ damage: null, held: null });
  expect(found?.size).toBe(
    tea.manifest.length + tea.blobs.reduce((sum, { content }) => sum + content.length, 0),
  );
  const shared = new Map(found?.files.map(({ path, sharedWith }) => [path, sharedWith]));
  const at_ = (index: number) => `blobs/${tea.blobs[index]!.digest.replace(':', '-')}`;
  expect(shared.get('manifests/registry.ollama.ai/library/tea/latest')).toEqual([]);
  expect(shared.get(at_(0))).toEqual(['someone/other:latest']);
  expect(shared.get(at_(1))).toEqual(['tea:two']);
  expect(found?.files[0]?.digest).toBe(`sha256:${tea.digest}`);
});

test.each(['tea', 'tea:latest', 'TEA', 'library/tea', 'registry.ollama.ai/library/tea:LATEST'])(
  'a model is found in any spelling: %s',
  async (spelling) => {
    await using at = await home();
    await at.seed('tea');
    expect((await at.keeper.find(spelling))?.subject).toEqual(named('tea:latest'));
  },
);

test.each(['coffee', 'tea:two', '/some/dir', 'x.gguf/../y', ''])('%j is no model of Ollama', async (name) => {
  await using at = await home();
  await at.seed('tea');
  expect(await at.keeper.find(name)).toBeUndefined();
});

const damages: readonly [string, (at: { directory: string }, model: Made) => Promise<void>, RegExp][] = [
  ['a blob is missing', (at, model) => rm(blobFile(at.directory, model.blobs[1]!.digest)), /is missing/],
  [
    'a blob is cut',
    (at, model) => truncate(blobFile(at.directory, model.blobs[0]!.digest), 100),
    /100 of \d+ bytes/,
  ],
  ['the manifest is cut', (at) => truncate(manifestFile(at.directory, 'tea'), 50), /manifest can't be used/],
  [
    'the weights begin with zeros',
    async (at, model) => {
      const { content, digest } = model.blobs[0]!;
      await writeFile(blobFile(at.directory, digest), Buffer.alloc(content.length));
    },
    /GGUF/,
  ],
];

test.each(damages)('damage is seen without hashing: %s', async (_, damage, why) => {
  await using at = await home();
  await at.seed('coffee', { seed: 'other', template: null, license: null, parameters: null });
  await damage(at, await at.seed('tea'));
  const [coffee, tea] = await at.keeper.list();
  expect(tea?.damage).toMatch(why);
  expect(coffee?.damage).toBeNull();
});

test('a flipped bit is found by hashing, and what is right is remembered', async () => {
  await using at = await home();
  const { blobs } = await at.seed('tea');
  const [weights] = blobs;
  await flip(blobFile(at.directory, weights!.digest));
  expect((await at.model('tea')).damage).toBeNull();
  const progress: number[] = [];
  const onProgress = (done: number) => progress.push(done);
  const damaged = await at.keeper.verify(await at.model('tea'), { signal, onProgress });
  expect(damaged).toEqual([
    {
      path: `blobs/${weights!.digest.replace(':', '-')}`,
      digest: weights!.digest,
      why: expect.stringContaining('hash to'),
    },
  ]);
  expect(progress.at(-1)).toBe(blobs.reduce((sum, { content }) => sum + content.length, 0));
  const proven = await at.store.blobs();
  expect(blobs.map(({ digest }) => proven.get(hashName(digest))?.proven)).toEqual(
    blobs.map((blob) => blob !== weights),
  );
});

test('what a snapshot holds is the manifest byte for byte and every blob, by the names that they have', async () => {
  await using at = await home();
  const { manifest, blobs } = await at.seed('tea');
  await using source = await at.keeper.open(await at.model('tea'));
  await source.assertUnchanged();
  expect(source.files.map(({ path }) => path)).toEqual([
    'manifests/registry.ollama.ai/library/tea/latest',
    ...blobs.map(({ digest }) => `blobs/${digest.replace(':', '-')}`),
  ]);
  const [file] = source.files;
  expect(file?.bytes.kind === 'memory' && Buffer.from(file.bytes.content).equals(manifest)).toBe(true);
});

test('a model of which a part is missing is no source, unless in part is asked for', async () => {
  await using at = await home();
  const { blobs } = await at.seed('tea');
  await rm(blobFile(at.directory, blobs[1]!.digest));
  await truncate(blobFile(at.directory, blobs[0]!.digest), 100);
  const model = await at.model('tea');
  await expect(at.keeper.open(model)).rejects.toMatchObject({ code: 'verification' });
  await using source = await at.keeper.open(model, { partial: true });
  expect(source.facts.missing).toEqual([`blobs/${blobs[1]!.digest.replace(':', '-')}`]);
  expect(source.files).toHaveLength(blobs.length);
  expect(source.files.find(({ size }) => size === 100)).toMatchObject({ digest: null, proven: false });
});

test('a model that Ollama pulls anew while it is opened is opened anew; one that never rests is an error', async () => {
  await using at = await home();
  const [old, fresh] = [await at.seed('tea', { seed: 'old' }), await ollamaModel({ seed: 'fresh' })];
  const model = await at.model('tea');
  const { open } = at.store;
  let times = 0;
  at.store.open = async (blobs) => {
    times += 1;
    if (times === 1) {
      await at.seed('tea', fresh);
      await rm(blobFile(at.directory, old.blobs[0]!.digest));
    }
    return open.call(at.store, blobs);
  };
  await using source = await at.keeper.open(model);
  expect(times).toBe(2);
  expect(source.files[0]?.digest).toBe(`sha256:${fresh.digest}`);
  at.store.open = async (blobs) => {
    await appendFile(manifestFile(at.directory, 'tea'), ' ');
    return open.call(at.store, blobs);
  };
  await expect(at.keeper.open(model)).rejects.toMatchObject({ code: 'verification', message: /changed/ });
});

test('a pull while it is saved is noticed before anything is published', async () => {
  await using at = await home();
  await at.seed('tea', { seed: 'old' });
  await using source = await at.keeper.open(await at.model('tea'));
  await at.seed('tea', { seed: 'fresh' });
  await expect(source.assertUnchanged()).rejects.toMatchObject({ code: 'verification' });
});
