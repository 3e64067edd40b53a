import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AixclError } from '../../../errors.ts';
import { digestOfBytes } from '../../../models/ollama/kept.ts';
import type { OllamaStore } from '../../../models/ollama/store.ts';
import { asNobody } from '../../test-nobody.ts';
import { PartlyClosedStore } from './partly-closed-store.ts';
import { directoryStore, folderHand } from './test-store.ts';

const licence = Buffer.from('a licence');
const digest = digestOfBytes(licence);
const layer = { mediaType: 'application/vnd.ollama.image.license', digest, size: licence.length };
const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, config: layer, layers: [layer] }));
const closed = 'registry.ollama.ai/library/closed/latest';
const blob = `blobs/${digest.replace(':', '-')}`;

let root: string;
let models: string;
let directory: OllamaStore;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'aixcl-closed-'));
  await chmod(root, 0o755);
  models = join(root, 'models');
  const hand = folderHand(models);
  await hand.put(`manifests/${closed}`, manifest);
  await hand.put('manifests/registry.ollama.ai/library/open/latest', manifest);
  await hand.put(blob, licence);
  await chmod(join(models, 'manifests', closed), 0o600);
  directory = directoryStore(models, join(root, 'receipts'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** What the engine reads, as it may; and how often it was asked. */
async function engine() {
  const all = await directory.manifests();
  const asked: string[] = [];
  const store = {
    async manifests() {
      asked.push('manifests');
      return all.map((each) => ({ ...each, modified: new Date(0) }));
    },
    async open() {
      asked.push('open');
      return { files: ['by the engine'] };
    },
    async peek() {
      asked.push('peek');
      return 'by the engine';
    },
  };
  return { asked, byEngine: async () => store as unknown as OllamaStore };
}

test('a manifest that this user may not read is read by the engine, once', async () => {
  const { asked, byEngine } = await engine();
  const store = new PartlyClosedStore(directory, byEngine);
  await asNobody(async () => {
    expect((await directory.manifests()).map(({ problem }) => problem)).toEqual([expect.anything(), null]);
    for (let times = 0; times < 2; times += 1) {
      const found = await store.manifests();
      expect(found.map(({ problem, unread }) => [problem, unread])).toEqual([
        [null, undefined],
        [null, undefined],
      ]);
      expect(Buffer.from(found[0]!.content)).toEqual(manifest);
    }
  });
  expect(asked).toEqual(['manifests']);
});

test('one that changed since is read anew', async () => {
  const { asked, byEngine } = await engine();
  const store = new PartlyClosedStore(directory, byEngine);
  await asNobody(async () => void (await store.manifests()));
  await folderHand(models).put(`manifests/${closed}`, Buffer.from(`${manifest} `));
  await asNobody(async () => void (await store.manifests()));
  expect(asked).toEqual(['manifests', 'manifests']);
});

test('without an engine it stays unread, and says why', async () => {
  const store = new PartlyClosedStore(directory, async () => {
    throw new AixclError('engineUnreachable', 'off');
  });
  await asNobody(async () => {
    expect((await store.manifests())[0]).toMatchObject({
      manifest: null,
      problem: 'this user may not read it',
    });
  });
});

test('a blob that this user may not read is read by the engine; all else is not', async () => {
  const { asked, byEngine } = await engine();
  const store = new PartlyClosedStore(directory, byEngine);
  await asNobody(async () => {
    await (await store.open([{ digest, size: null }]))[Symbol.asyncDispose]();
    await (await store.peek(digest))?.[Symbol.asyncDispose]();
  });
  expect(asked).toEqual([]);
  await chmod(join(models, blob), 0o600);
  await asNobody(async () => {
    expect(await store.open([{ digest, size: null }])).toEqual({ files: ['by the engine'] });
    expect(await store.peek(digest)).toBe('by the engine');
  });
  expect(asked).toEqual(['open', 'peek']);
});
