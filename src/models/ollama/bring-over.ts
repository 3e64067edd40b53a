import { createHash } from 'node:crypto';
import { read } from 'node:fs';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { AixclError } from '../../errors.ts';
import { digestOf } from '../../vault/digest.ts';
import type { SourceFile } from '../../vault/subject.ts';
import type { VaultWriter, WorkOptions } from '../../vault/vault.ts';
import { type Brought, key, type ObservedStores } from './bring-over-plan.ts';
import type { OllamaKeeper } from './keeper.ts';
import { digestOfBytes, type OllamaModel } from './kept.ts';
import { blobsOf } from './manifest.ts';
import { type OllamaName, sameName, shownName } from './name.ts';
import { ofFile, putRight } from './restore.ts';
import type { BlobSource, OllamaStore, StoreWriter } from './store.ts';

const readAt = promisify(read);

/** Another store, which is only read. */
export interface OtherStore {
  readonly store: OllamaStore;
  readonly keeper: OllamaKeeper;
}

/** Looks at both once; hashes nothing. */
export async function observeStores({ keeper }: OtherStore, ours: OllamaStore): Promise<ObservedStores> {
  const [theirs, manifests] = await Promise.all([keeper.list(), ours.manifests()]);
  const wanted = theirs.flatMap(({ stored }) => (stored.manifest ? blobsOf(stored.manifest) : []));
  return { theirs, ours: manifests, there: await ours.blobs(wanted.map(({ digest }) => digest)) };
}

export interface BringHands {
  readonly from: OtherStore;
  readonly store: OllamaStore;
  /** Of `store`. */
  readonly into: StoreWriter;
  /** Keeps damaged bytes that stand in the way. */
  readonly writer: VaultWriter;
  readonly brought?: Brought;
}

/**
 * Brings one model into `store`: every blob, hashed where it landed, then its manifest. Nothing of `from` is changed, and no manifest of
 * ours. Throws `verification` for a model that is damaged or changed since it was shown, `refused` where its name is taken by now.
 */
export async function bringModel(model: OllamaModel, hands: BringHands, options: WorkOptions): Promise<void> {
  const { from, into } = hands;
  const { content, name } = model.stored;
  const shown = shownName(name);
  const source = await from.keeper.open(model);
  try {
    const [manifest, ...blobs] = source.files;
    if (manifest?.digest !== digestOfBytes(content)) throw changed(shown, from.store);
    let done = 0;
    for (const blob of blobs) {
      const onProgress = (bytes: number) => options.onProgress?.(done + bytes);
      await bringBlob(blob, hands, { signal: options.signal, onProgress });
      done += blob.size;
      options.onProgress?.(done);
    }
    await source.assertUnchanged();
    const spelled = await freeName(model, hands);
    options.signal.throwIfAborted();
    await into.putManifest(spelled, content);
  } finally {
    await source[Symbol.asyncDispose]();
  }
}

async function bringBlob(blob: SourceFile, hands: BringHands, options: WorkOptions): Promise<void> {
  const { digest, size, path } = blob;
  const { place } = hands.from.store;
  if (digest === null) throw damaged(path, place);
  const bytes = bytesOf(blob);
  const assertRight = async () => {
    if ((await hashOf(bytes, options.signal)) !== digest) throw damaged(path, place);
  };
  try {
    await putRight(hands, { digest, size }, bytes, options, assertRight);
  } catch (error) {
    if (error instanceof AixclError && error.code === 'verification') throw damaged(path, place, error);
    throw error;
  }
}

/** What is held open is read by its descriptor, which leads to it whatever becomes of its name. */
function bytesOf({ bytes }: SourceFile): BlobSource {
  switch (bytes.kind) {
    case 'stream':
      return { open: () => bytes.open() };
    case 'memory':
      return { open: async () => Readable.from([bytes.content], { objectMode: false }) };
    case 'file': {
      const { path, descriptor } = bytes;
      if (descriptor === undefined) return ofFile(path);
      return { path, open: async () => Readable.from(piecesOf(descriptor), { objectMode: false }) };
    }
  }
}

/** A stream of Node's own over a descriptor closes it when it is destroyed. */
async function* piecesOf(descriptor: number): AsyncGenerator<Buffer> {
  for (let at = 0; ; ) {
    const { buffer, bytesRead } = await readAt(descriptor, Buffer.allocUnsafe(2 ** 20), 0, 2 ** 20, at);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}

async function hashOf(bytes: BlobSource, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of await bytes.open()) {
    signal.throwIfAborted();
    hash.update(chunk as Buffer);
  }
  return digestOf(hash.digest('hex'));
}

/** The spelling to write it under. An Ollama that runs may have got another model of this name meanwhile. */
async function freeName({ stored }: OllamaModel, { store, brought }: BringHands): Promise<OllamaName> {
  const standing = (await store.manifests()).find(({ name }) => sameName(name, stored.name));
  if (!standing) return stored.name;
  if (brought?.has(key(stored.name)) || Buffer.from(standing.content).equals(stored.content)) {
    return standing.name;
  }
  const shown = shownName(standing.name);
  throw new AixclError('refused', `another ${shown} came into ${store.place} meanwhile, and stays`, {
    hint: 'aixcl models list',
  });
}

function damaged(path: string, place: string, cause?: unknown): AixclError {
  return new AixclError('verification', `${path} of ${place} is damaged`, { cause });
}

function changed(shown: string, { place }: OllamaStore): AixclError {
  return new AixclError('verification', `${shown} of ${place} changed since it was shown`, {
    hint: 'Run the command again.',
  });
}
