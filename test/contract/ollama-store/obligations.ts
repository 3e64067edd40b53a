import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { parseOllamaName } from '../../../src/models/ollama/name.ts';
import type { BlobSource, OllamaStore } from '../../../src/models/ollama/store.ts';
import { type Digest, digestOf, hexOf } from '../../../src/vault/digest.ts';
import type { SourceFile } from '../../../src/vault/subject.ts';

/** One kind of store, and a hand that reaches what lies behind it. Paths are below Ollama's folder `models`. */
export interface StoreUnderTest {
  readonly store: OllamaStore;
  put(path: string, content: Buffer): Promise<void>;
  read(path: string): Promise<Buffer | undefined>;
  /** Runs a shell script in the folder `models`; answers what it prints. */
  sh(script: string): Promise<string>;
}

const signal = new AbortController().signal;
const tea = 'manifests/registry.ollama.ai/library/tea/latest';

/** What every store owes, whether it is a folder or inside an engine. `make` answers an empty one; nothing is there yet. */
export function storeObligations(make: () => Promise<StoreUnderTest>): void {
  test('that is not there yet has no models, and looking makes nothing', async () => {
    const { store, sh } = await make();
    expect(await store.manifests()).toEqual([]);
    expect((await store.blobs()).size).toBe(0);
    expect((await sh('ls -A')).trim()).toBe('');
  });

  test('shows manifests and whole blobs, and passes over partials, keys, links, folders and strange names', async () => {
    const { store, put, sh } = await make();
    const blob = randomBytes(1000);
    const manifest = manifestOf([blob]);
    await put(tea, manifest);
    await put(blobAt(blob), blob);
    const other = hexOf(digest(randomBytes(8)));
    await put(`blobs/sha256-${other}-partial`, blob);
    await put(`blobs/sha256-${other}-partial-0`, blob);
    await put('blobs/notes.txt', blob);
    await put('manifests/registry.ollama.ai/library/tea/.hidden name', blob);
    const [link, folder] = [hexOf(digest(randomBytes(8))), hexOf(digest(randomBytes(8)))];
    await sh(`ln -s /etc/hostname blobs/sha256-${link}; mkdir blobs/sha256-${folder}`);
    const found = await store.manifests();
    expect(found.map(({ path, problem }) => ({ path, problem }))).toEqual([
      { path: 'registry.ollama.ai/library/tea/latest', problem: null },
    ]);
    expect(Buffer.from(found[0]!.content)).toEqual(manifest);
    const blobs = await store.blobs([digestOf(link), digestOf(folder), digestOf(other)]);
    expect([...blobs].map(([name, { size }]) => [name, size])).toEqual([[digest(blob), 1000]]);
  });

  test('shows a manifest that can not be used with the reason, beside the others', async () => {
    const { store, put, sh } = await make();
    const blob = randomBytes(10);
    await put(tea, manifestOf([blob]));
    await put('manifests/hf.co/some/one/cut', manifestOf([blob]).subarray(0, 40));
    await put('manifests/hf.co/some/one/empty', Buffer.alloc(0));
    await put(
      'manifests/hf.co/some/one/escape',
      Buffer.from(String(manifestOf([blob])).replace(/sha256:\w+/, '../../x')),
    );
    await sh('ln -s /etc/hostname manifests/hf.co/some/one/link');
    const found = new Map(
      (await store.manifests()).map(({ path, problem }) => [path.split('/').pop(), problem]),
    );
    expect([...found.keys()].sort()).toEqual(['cut', 'empty', 'escape', 'latest', 'link']);
    expect(found.get('latest')).toBeNull();
    for (const tag of ['cut', 'empty', 'escape', 'link']) expect(found.get(tag)).toEqual(expect.any(String));
  });

  test('opens blobs to be saved: bytes, size and digest', async () => {
    const { store, put } = await make();
    const blobs = [randomBytes(3_000_000), randomBytes(10), Buffer.alloc(0)];
    await put(tea, manifestOf(blobs));
    for (const blob of blobs) await put(blobAt(blob), blob);
    const opened = await store.open(blobs.map((blob) => ({ digest: digest(blob), size: blob.length })));
    expect(opened.files.map(({ path, size }) => [path, size])).toEqual(
      blobs.map((blob) => [blobAt(blob), blob.length]),
    );
    // All at once, as the vault takes them in.
    expect((await Promise.all(opened.files.map(bytesOf))).map(digest)).toEqual(blobs.map(digest));
    for (const blob of blobs) expect(await opened.hash(digest(blob), { signal })).toBe(digest(blob));
    await opened.assertUnchanged();
    await opened[Symbol.asyncDispose]();
  });

  test('names the blob that is missing, cut, or no plain file', async () => {
    const { store, put, sh } = await make();
    const [whole, cut, missing, link] = [10, 20, 30, 40].map((size) => randomBytes(size)) as [
      Buffer,
      Buffer,
      Buffer,
      Buffer,
    ];
    await put(blobAt(whole), whole);
    await put(blobAt(cut), cut.subarray(0, 7));
    await put('elsewhere', link);
    await sh(`ln -s ../elsewhere ${blobAt(link)}`);
    for (const bad of [cut, missing, link]) {
      const wanted = [whole, bad].map((blob) => ({ digest: digest(blob), size: blob.length }));
      await expect(store.open(wanted)).rejects.toMatchObject({
        code: 'verification',
        message: expect.stringContaining(blobAt(bad)),
      });
    }
    const opened = await store.open([{ digest: digest(cut), size: null }]);
    expect(opened.files).toMatchObject([{ size: 7 }]);
    await opened[Symbol.asyncDispose]();
  });

  test('hashes what is there, whatever its name claims', async () => {
    const { store, put } = await make();
    const blob = randomBytes(5000);
    await put(blobAt(blob), Buffer.alloc(5000));
    const opened = await store.open([{ digest: digest(blob), size: 5000 }]);
    expect(await opened.hash(digest(blob), { signal })).toBe(digest(Buffer.alloc(5000)));
    await opened[Symbol.asyncDispose]();
    expect((await store.blobs([digest(blob)])).get(digest(blob))?.proven).toBe(false);
  });

  test('notices a blob that is replaced or removed while it is saved', async () => {
    const { store, put, sh } = await make();
    const blob = randomBytes(5000);
    await put(blobAt(blob), blob);
    const wanted = [{ digest: digest(blob), size: 5000 }];
    for (const change of ['cp X Y; sleep 1; cp Y X.new; touch X.new; mv X.new X', 'rm X']) {
      const opened = await store.open(wanted);
      await sh(change.replaceAll('X', blobAt(blob)).replaceAll('Y', 'copy'));
      await expect(opened.assertUnchanged()).rejects.toMatchObject({ code: 'verification' });
      await opened[Symbol.asyncDispose]();
    }
  });

  test('reads anywhere in one blob without reading all of it', async () => {
    const { store, put } = await make();
    const blob = randomBytes(200_000);
    await put(blobAt(blob), blob);
    const source = (await store.peek(digest(blob)))!;
    expect(source.size).toBe(200_000);
    expect(Buffer.from(await source.read(0, 4))).toEqual(blob.subarray(0, 4));
    expect(Buffer.from(await source.read(150_000, 1000))).toEqual(blob.subarray(150_000, 151_000));
    expect(Buffer.from(await source.read(199_990, 1000))).toEqual(blob.subarray(199_990));
    await source[Symbol.asyncDispose]();
    expect(await store.peek(digest(randomBytes(4)))).toBeUndefined();
  });

  test('takes a blob in, byte for byte, with a fresh time, and leaves nothing else', async () => {
    const { store, read, sh } = await make();
    const blobs = [randomBytes(3_000_000), randomBytes(10), Buffer.alloc(0)];
    const writer = await store.write('test', signal);
    const before = Math.floor(Date.now() / 1000) - 1;
    for (const blob of blobs) {
      expect(await writer.putBlob(digest(blob), blob.length, sourceOf(blob), { signal })).toBe(true);
    }
    await writer[Symbol.asyncDispose]();
    for (const blob of blobs) {
      expect(digest((await read(blobAt(blob)))!)).toBe(digest(blob));
      expect(Number(await sh(`stat -c %Y ${blobAt(blob)}`))).toBeGreaterThanOrEqual(before);
      expect(await sh(`stat -c %a ${blobAt(blob)}`)).toBe('644\n');
    }
    expect((await sh('ls -A . blobs')).split(/\s+/).filter((name) => name.startsWith('.a'))).toEqual([]);
  });

  test('tells how far it is with a blob', async () => {
    const { store } = await make();
    const blob = randomBytes(2_000_000);
    const writer = await store.write('test', signal);
    const seen: number[] = [];
    const onProgress = (done: number) => seen.push(done);
    await writer.putBlob(digest(blob), blob.length, sourceOf(blob), { signal, onProgress });
    await writer[Symbol.asyncDispose]();
    expect(seen.length).toBeGreaterThan(1);
    expect(seen.at(-1)).toBe(2_000_000);
  });

  test('leaves a right blob that is there, gives it a fresh time, and refuses a wrong one without touching it', async () => {
    const { store, put, read, sh } = await make();
    const [right, zeroed, cut] = [randomBytes(500), randomBytes(600), randomBytes(700)];
    await put(blobAt(right), right);
    await put(blobAt(zeroed), Buffer.alloc(600));
    await put(blobAt(cut), cut.subarray(0, 5));
    await sh(`touch -d 2001-01-01 ${blobAt(right)}`);
    const writer = await store.write('test', signal);
    expect(await writer.putBlob(digest(right), 500, sourceOf(right), { signal })).toBe(false);
    expect(Number(await sh(`stat -c %Y ${blobAt(right)}`))).toBeGreaterThan(Date.now() / 1000 - 60);
    for (const wrong of [zeroed, cut]) {
      const put = writer.putBlob(digest(wrong), wrong.length, sourceOf(wrong), { signal });
      await expect(put).rejects.toMatchObject({
        code: 'verification',
        message: expect.stringContaining(blobAt(wrong)),
      });
    }
    expect(await read(blobAt(zeroed))).toEqual(Buffer.alloc(600));
    await writer.dropBlob(digest(zeroed));
    expect(await writer.putBlob(digest(zeroed), 600, sourceOf(zeroed), { signal })).toBe(true);
    expect(await read(blobAt(zeroed))).toEqual(zeroed);
    await writer[Symbol.asyncDispose]();
  });

  test('gives no name to bytes that are wrong, short, long, broken off or stopped', async () => {
    const { store, sh } = await make();
    const blob = randomBytes(100_000);
    const stopped = new AbortController();
    const bad: BlobSource[] = [
      sourceOf(Buffer.alloc(100_000)),
      sourceOf(blob.subarray(0, 50_000)),
      sourceOf(Buffer.concat([blob, blob])),
      { open: async () => Readable.from(failing(blob), { objectMode: false }) },
    ];
    const writer = await store.write('test', signal);
    for (const source of bad) {
      await expect(writer.putBlob(digest(blob), 100_000, source, { signal })).rejects.toThrow();
    }
    const endless: BlobSource = { open: async () => Readable.from(stopping(blob, stopped)) };
    const put = writer.putBlob(digest(blob), 100_000, endless, { signal: stopped.signal });
    await expect(put).rejects.toThrow();
    expect((await sh('ls -A blobs')).trim()).toBe('');
    expect(await writer.putBlob(digest(blob), 100_000, sourceOf(blob), { signal })).toBe(true);
    await writer[Symbol.asyncDispose]();
  });

  test('puts manifests in their place, over an older one too, and takes one away with the folders that it empties', async () => {
    const { store, put, read, sh } = await make();
    const [first, second] = [manifestOf([randomBytes(4)]), manifestOf([randomBytes(5)])];
    await put('manifests/registry.ollama.ai/library/coffee/latest', first);
    const writer = await store.write('test', signal);
    await writer.putManifest(parseOllamaName('tea'), first);
    await writer.putManifest(parseOllamaName('tea'), second);
    await writer.putManifest(parseOllamaName('hf.co/some/one:Q4_K_M'), second);
    expect(await read(tea)).toEqual(second);
    expect(await read('manifests/hf.co/some/one/Q4_K_M')).toEqual(second);
    await writer.dropManifest('hf.co/some/one/Q4_K_M');
    await writer.dropManifest('registry.ollama.ai/library/tea/latest');
    await expect(writer.dropManifest('../../x')).rejects.toThrow();
    await writer[Symbol.asyncDispose]();
    expect((await sh('cd manifests; find . -mindepth 1 | sort')).trim().split('\n')).toEqual([
      './registry.ollama.ai',
      './registry.ollama.ai/library',
      './registry.ollama.ai/library/coffee',
      './registry.ollama.ai/library/coffee/latest',
    ]);
  });

  test('clears what a killed writer left', async () => {
    const { store, put, sh } = await make();
    await put('.aixcl-staging/killed/0123', Buffer.from('half'));
    const writer = await store.write('next', signal);
    expect((await sh('ls -A .aixcl-staging')).trim()).toBe('next');
    await writer[Symbol.asyncDispose]();
    expect((await sh('ls -A')).trim().split('\n')).toEqual(['blobs', 'manifests']);
  });

  test('tells the room on its disk', async () => {
    const { store } = await make();
    const space = await store.space();
    expect(space!.total).toBeGreaterThan(space!.free);
    expect(space!.free).toBeGreaterThan(0);
  });
}

export function digest(content: Buffer): Digest {
  return digestOf(createHash('sha256').update(content).digest('hex'));
}

export function blobAt(content: Buffer): string {
  return `blobs/sha256-${hexOf(digest(content))}`;
}

export function manifestOf(blobs: readonly Buffer[]): Buffer {
  const layer = (content: Buffer) => ({
    mediaType: 'application/vnd.ollama.image.template',
    digest: digest(content),
    size: content.length,
  });
  const [config = Buffer.alloc(0), ...layers] = blobs;
  return Buffer.from(JSON.stringify({ schemaVersion: 2, config: layer(config), layers: layers.map(layer) }));
}

export function sourceOf(content: Buffer): BlobSource {
  const pieces: Buffer[] = [];
  for (let at = 0; at < content.length; at += 60_000) pieces.push(content.subarray(at, at + 60_000));
  return { open: async () => Readable.from(pieces, { objectMode: false }) };
}

async function bytesOf({ bytes }: SourceFile): Promise<Buffer> {
  if (bytes.kind === 'memory') return Buffer.from(bytes.content);
  const { createReadStream } = await import('node:fs');
  const stream = bytes.kind === 'file' ? createReadStream(bytes.path) : await bytes.open();
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

async function* failing(content: Buffer) {
  yield content.subarray(0, 10_000);
  throw new Error('the source broke off');
}

async function* stopping(content: Buffer, stopped: AbortController) {
  yield content.subarray(0, 10_000);
  stopped.abort(new Error('stopped'));
  yield content.subarray(10_000, 20_000);
  await new Promise((resolve) => setTimeout(resolve, 200));
  yield content.subarray(20_000);
}
