import { randomBytes } from 'node:crypto';
import {
  appendFile,
  copyFile,
  link,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import {
  blobFile,
  type OllamaModel as Made,
  manifestFile,
  ollamaModel,
  seedStore,
} from '../../../test/setup/ollama-model.ts';
import { TestOllama } from '../../adapters/ollama/store/test-ollama.ts';
import { directoryStore } from '../../adapters/ollama/store/test-store.ts';
import { contentOf, hashOf, TestVault } from '../../adapters/vault/test-vault.ts';
import type { Digest } from '../../vault/digest.ts';
import { backUp, save } from '../../vault/save.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { Subject } from '../../vault/subject.ts';
import type { VaultWriter } from '../../vault/vault.ts';
import type { VerifiedBackup } from '../../vault/verified-backup.ts';
import { saveGoing } from '../save-going.ts';
import { OllamaKeeper } from './keeper.ts';

const { signal } = new AbortController();
const named = (name: string): Subject => ({ runtime: 'ollama', name });

/** A store in a folder, an Ollama that works on it, a vault beside it. */
async function home() {
  const vault = await TestVault.make();
  const directory = join(vault.root, 'ollama');
  const store = directoryStore(join(directory, 'models'), join(vault.path, 'receipts'));
  const ollama = new TestOllama(store);
  const keeper = new OllamaKeeper({ store, api: ollama, signal });
  const model = async (name: string) => {
    const found = await keeper.find(name);
    if (!found) throw new Error(`no ${name}`);
    return found;
  };
  return {
    vault,
    directory,
    store,
    ollama,
    keeper,
    model,
    seed: (name: string, wish: Parameters<typeof seedStore>[2] = {}) => seedStore(directory, name, wish),
    async backUp(writer: VaultWriter, name: string): Promise<Snapshot> {
      await using source = await keeper.open(await model(name));
      return await backUp(source, { ...saveWish(writer), recheck: false });
    },
    saveGoing: async (
      writer: VaultWriter,
      name: string,
      backupType: 'pre_deletion' | 'pre_update' = 'pre_deletion',
    ): Promise<VerifiedBackup> =>
      saveGoing({ keeper, model: await model(name) }, { ...saveWish(writer), backupType, damage: null }),
    restore: (
      snapshot: Snapshot,
      writer: VaultWriter,
      target = snapshot.subject,
      standing: VerifiedBackup | 'nothing' = 'nothing',
    ) =>
      keeper.restore(snapshot, { vault: vault.vault, writer, target, standing, operation: 'test-2', signal }),
    [Symbol.asyncDispose]: () => vault[Symbol.asyncDispose](),
  };
}

function saveWish(writer: VaultWriter) {
  return {
    writer,
    backupType: 'pre_deletion' as const,
    reason: 'a test',
    operation: 'test-1',
    created: new Date(Date.now() - 1000),
    signal,
  };
}

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

test('a damaged blob is mended from the vault alone, and its bytes are kept', async () => {
  await using at = await home();
  const tea = await at.seed('tea');
  await using writer = await at.vault.open();
  await at.backUp(writer, 'tea');
  const [weights, template] = tea.blobs;
  await flip(blobFile(at.directory, weights!.digest));
  await rm(blobFile(at.directory, template!.digest));
  const before = await stat(blobFile(at.directory, tea.blobs[2]!.digest));
  const damaged = await at.keeper.verify(await at.model('tea'), { signal });
  expect(damaged).toHaveLength(2);
  for (const each of damaged) {
    const wish = { vault: at.vault.vault, writer, fetched: null, signal };
    await at.keeper.mend(await at.model('tea'), each, wish);
  }
  await assertWhole(at.directory, 'tea', tea);
  expect(await quarantined(at.vault)).toEqual([weights!.content.length]);
  expect((await stat(blobFile(at.directory, tea.blobs[2]!.digest))).mtimeMs).toBe(before.mtimeMs);
});

test('a blob that is damaged in the vault too is mended from what was fetched, if that is right', async () => {
  await using at = await home();
  const tea = await at.seed('tea');
  await using writer = await at.vault.open();
  await at.backUp(writer, 'tea');
  const { digest, content } = tea.blobs[0]!;
  const fetched = join(at.vault.root, 'fetched');
  await flip(at.vault.vault.blobPath(hashName(digest)));
  await flip(blobFile(at.directory, digest));
  const mend = async (file: string | null) => {
    const [damaged] = await at.keeper.verify(await at.model('tea'), { signal });
    const wish = { vault: at.vault.vault, writer, fetched: file, signal };
    await at.keeper.mend(await at.model('tea'), damaged!, wish);
  };
  await writeFile(fetched, randomBytes(content.length));
  await expect(mend(fetched)).rejects.toMatchObject({ code: 'verification' });
  await writeFile(fetched, content);
  await mend(fetched);
  await assertWhole(at.directory, 'tea', tea);
  await flip(blobFile(at.directory, digest));
  await mend(null);
  await expect(stat(blobFile(at.directory, digest))).rejects.toThrow();
});

test('a manifest that can not be used is mended by the newest one of the vault, and its bytes are kept', async () => {
  await using at = await home();
  const tea = await at.seed('tea');
  await using writer = await at.vault.open();
  await at.backUp(writer, 'tea');
  await truncate(manifestFile(at.directory, 'tea'), 70);
  const [damaged] = await at.keeper.verify(await at.model('tea'), { signal });
  expect(damaged?.path).toBe('manifests/registry.ollama.ai/library/tea/latest');
  const wish = { vault: at.vault.vault, writer, fetched: null, signal };
  await at.keeper.mend(await at.model('tea'), damaged!, wish);
  await assertWhole(at.directory, 'tea', tea);
  expect(await quarantined(at.vault)).toEqual([70]);
});

test('the blobs of the vault stay what they were through all of it', async () => {
  await using at = await home();
  await at.seed('tea');
  await using writer = await at.vault.open();
  const proof = await at.saveGoing(writer, 'tea');
  await at.keeper.remove(await at.model('tea'), proof);
  await at.restore(proof.snapshot, writer);
  for (const { digest, size } of proof.snapshot.files) {
    expect(hashOf(await contentOf(await at.vault.vault.openBlob(digest, size)))).toBe(digest);
  }
});

async function flip(path: string): Promise<void> {
  const { atime, mtime } = await stat(path);
  const content = await readFile(path);
  content[Math.floor(content.length / 2)]! ^= 1;
  const copy = `${path}.flipped`;
  await mkdir(dirname(copy), { recursive: true });
  await writeFile(copy, content);
  await rm(path);
  await copyFile(copy, path);
  await rm(copy);
  await utimes(path, atime, mtime);
}

function hashName(digest: string) {
  return digest as Parameters<TestVault['read']>[0];
}

async function assertWhole(directory: string, name: string, { manifest, blobs }: Made): Promise<void> {
  expect((await readFile(manifestFile(directory, name))).equals(manifest)).toBe(true);
  for (const { digest, content } of blobs) {
    expect((await readFile(blobFile(directory, digest))).equals(content), digest).toBe(true);
  }
}

/** Sizes of what lies in quarantine. */
async function quarantined({ path }: TestVault): Promise<number[]> {
  const folder = join(path, 'quarantine');
  const names = (await readdir(folder)).filter((name) => !name.endsWith('.json'));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.sort((a, b) => a - b);
}
