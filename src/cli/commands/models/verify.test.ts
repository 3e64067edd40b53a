import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Arguments } from 'yargs';
import { folderHand } from '../../../adapters/ollama/store/test-store.ts';
import { digestOfBytes } from '../../../models/ollama/kept.ts';
import { backUp } from '../../../vault/save.ts';
import { keeperOf } from '../../../wiring/keepers.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import { type TestHome, testHome } from '../vault/test-home.ts';
import { verify } from './verify.ts';

let home: TestHome;
beforeEach(async () => {
  home = await testHome();
});
afterEach(() => home[Symbol.asyncDispose]());

const shared = Buffer.from('a licence that two models have');
// Nobody listens there; fetch refuses lower ports unasked.
const host = '127.0.0.1:1025';
const nameOf = (model: string) => `${host}/library/${model}:latest`;
const blobPath = (content: Buffer) => `blobs/${digestOfBytes(content).replace(':', '-')}`;
const models = () => join(home.root, 'ollama', 'models');

async function put(model: string): Promise<void> {
  const config = Buffer.from(JSON.stringify({ model_format: 'gguf', of: model }));
  const hand = folderHand(models());
  const layer = (mediaType: string, content: Buffer) => ({
    mediaType,
    digest: digestOfBytes(content),
    size: content.length,
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    config: layer('application/vnd.docker.container.image.v1+json', config),
    layers: [layer('application/vnd.ollama.image.license', shared)],
  };
  for (const content of [config, shared]) await hand.put(blobPath(content), content);
  await hand.put(`manifests/${host}/library/${model}/latest`, Buffer.from(JSON.stringify(manifest)));
}

async function saved(name: string): Promise<void> {
  const { signal } = new AbortController();
  const vault = vaultOf(home.context);
  const keeper = await keeperOf(home.context, 'ollama');
  const source = await keeper.open((await keeper.find(name))!);
  const writer = await vault.open({ holder: 'test', operation: 'op-1', patience: 0, signal });
  try {
    const wish = { backupType: 'emergency', reason: '', operation: 'op-1', created: new Date() } as const;
    await backUp(source, { ...wish, writer, recheck: true, signal });
  } finally {
    await writer[Symbol.asyncDispose]();
    await source[Symbol.asyncDispose]();
  }
}

const repaired = () => home.run((context) => verify(context, { repair: true } as unknown as Arguments));

test('each model that shares a blob is told of when it is mended, and what was in quarantine', async () => {
  await put('ale');
  await put('tea');
  await saved(nameOf('tea'));
  await writeFile(join(models(), blobPath(shared)), 'x'.repeat(shared.length));
  const { result, error } = await repaired();
  expect(error).toBeUndefined();
  expect(result?.steps).toMatchObject([
    {
      kind: 'repair',
      target: expect.stringContaining('ale'),
      because: expect.stringContaining('quarantine'),
    },
    {
      kind: 'repair',
      target: expect.stringContaining('tea'),
      because: expect.stringContaining(`right again with ${nameOf('ale')}`),
    },
  ]);
});

test('nothing is said to be in quarantine of a blob that was missing', async () => {
  await put('tea');
  await saved(nameOf('tea'));
  await rm(join(models(), blobPath(shared)));
  const { result } = await repaired();
  expect(result?.steps).toMatchObject([{ because: 'it is missing; right bytes from the vault' }]);
});

test('where the source does not answer, the damage is named all the same', async () => {
  await put('tea');
  await writeFile(join(models(), blobPath(shared)), 'x'.repeat(shared.length));
  const { result, error } = await repaired();
  const both = expect.stringMatching(
    /its bytes hash to .*127\.0\.0\.1:1025 can't be reached: .*ECONNREFUSED/,
  );
  expect(result?.steps).toMatchObject([{ kind: 'repair', outcome: 'failed', because: both }]);
  expect(error).toMatchObject({ code: 'verification', evidence: [both] });
});
