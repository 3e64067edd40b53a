import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  blobAt,
  digest,
  type StoreUnderTest,
  storeObligations,
} from '../../../../test/contract/ollama-store/obligations.ts';
import { directoryStore, folderHand } from './test-store.ts';

const signal = new AbortController().signal;
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'aixcl-store-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

describe("Ollama's store as a directory", () => {
  storeObligations(inFolder);

  test('trusts a blob that was hashed, until the file changes', async () => {
    const { store, put, sh } = await inFolder();
    const blob = randomBytes(1000);
    await put(blobAt(blob), blob);
    const proven = async () => (await store.blobs()).get(digest(blob))?.proven;
    expect(await proven()).toBe(false);
    const opened = await store.open([{ digest: digest(blob), size: 1000 }]);
    await opened.hash(digest(blob), { signal });
    await opened[Symbol.asyncDispose]();
    expect(await proven()).toBe(true);
    await sh(`touch ${blobAt(blob)}`);
    expect(await proven()).toBe(false);
  });

  test('holds what it opened: a blob that Ollama removes meanwhile can still be saved', async () => {
    const { store, put, sh } = await inFolder();
    const blob = randomBytes(1000);
    await put(blobAt(blob), blob);
    const opened = await store.open([{ digest: digest(blob), size: 1000 }]);
    await sh(`rm ${blobAt(blob)}`);
    const [file] = opened.files;
    if (file?.bytes.kind !== 'file') throw new Error('no file');
    expect(await readFile(`/proc/self/fd/${file.bytes.descriptor}`)).toEqual(blob);
    await opened[Symbol.asyncDispose]();
  });
});

async function inFolder(): Promise<StoreUnderTest> {
  const models = await mkdtemp(join(scratch, 'models-'));
  return { store: directoryStore(models, join(scratch, 'receipts')), ...folderHand(models) };
}
