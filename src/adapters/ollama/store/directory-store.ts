import { constants } from 'node:fs';
import { type FileHandle, lstat, open, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode } from '../../../errors.ts';
import { fileSource } from '../../../models/gguf/byte-source.ts';
import type {
  OllamaStore,
  OpenBlobs,
  StoredBlob,
  StoredManifest,
  StoreWriter,
} from '../../../models/ollama/store.ts';
import type { Digest } from '../../../vault/digest.ts';
import { identityOf } from '../../vault/file-identity.ts';
import { HeldBlobs, openBlob } from './held-blobs.ts';
import { blobName, blobPath, blobsFolder, digestOfName, largestManifest, manifestsFolder } from './layout.ts';
import { entriesOf, ifThere, manifestPaths } from './manifest-paths.ts';
import type { Proofs } from './proofs.ts';
import { byPath, type FoundManifest, storedManifest, tooLarge } from './read-manifests.ts';

export interface DirectoryOptions {
  /** Ollama's folder `models`, which need not be there. */
  readonly models: string;
  readonly proofs: Proofs;
  /** How this directory is written: by this process, or by one that may. */
  readonly writer: (operation: string, signal: AbortSignal) => Promise<StoreWriter>;
}

/** Ollama's store in a directory of this machine. Only regular files count: no link is followed below `models`. */
export class DirectoryStore implements OllamaStore {
  readonly place: string;
  readonly distant = false;
  readonly #options: DirectoryOptions;

  constructor(options: DirectoryOptions) {
    this.place = options.models;
    this.#options = options;
  }

  async manifests(): Promise<readonly StoredManifest[]> {
    const root = join(this.place, manifestsFolder);
    const paths = await manifestPaths(root);
    const found = await Promise.all(paths.map((path) => readManifest(root, path)));
    return found.flatMap((each) => (each && storedManifest(each)) ?? []).sort(byPath);
  }

  async blobs(): Promise<ReadonlyMap<Digest, StoredBlob>> {
    const folder = join(this.place, blobsFolder);
    const found = await Promise.all(
      (await entriesOf(folder)).map(async ({ name }) => {
        const digest = digestOfName(name);
        if (!digest) return undefined;
        const stats = await ifThere(lstat(join(folder, name), { bigint: true }));
        if (!stats?.isFile()) return undefined;
        const identity = identityOf(stats);
        const proven = await this.#options.proofs.holds(digest, identity);
        return [digest, { size: identity.size, proven }] as const;
      }),
    );
    return new Map(found.filter((each) => each !== undefined));
  }

  async peek(digest: Digest) {
    const handle = await openPlain(join(this.place, blobsFolder, blobName(digest)));
    if (!handle) return undefined;
    const source = await fileSource(handle);
    return { ...source, [Symbol.asyncDispose]: () => handle.close() };
  }

  async open(
    wanted: readonly { readonly digest: Digest; readonly size: number | null }[],
  ): Promise<OpenBlobs> {
    const held = new HeldBlobs(this.#options.proofs);
    try {
      for (const { digest, size } of wanted) {
        await held.add(
          digest,
          await openBlob(join(this.place, blobsFolder, blobName(digest)), blobPath(digest), size),
        );
      }
      return held;
    } catch (error) {
      await held[Symbol.asyncDispose]();
      throw error;
    }
  }

  write(operation: string, signal: AbortSignal): Promise<StoreWriter> {
    return this.#options.writer(operation, signal);
  }

  async space(): Promise<{ free: number; total: number } | null> {
    for (let path = this.place; ; path = dirname(path)) {
      const stats = await ifThere(statfs(path));
      if (stats) return { free: stats.bavail * stats.bsize, total: stats.blocks * stats.bsize };
      if (path === dirname(path)) return null;
    }
  }
}

async function readManifest(root: string, path: string): Promise<FoundManifest | undefined> {
  const stats = await ifThere(lstat(join(root, path)));
  if (!stats) return undefined;
  const found = { path, modified: stats.mtime, content: null };
  if (!stats.isFile()) return { ...found, problem: 'it is no regular file' };
  if (stats.size > largestManifest) return { ...found, problem: tooLarge };
  try {
    const handle = await openPlain(join(root, path));
    if (!handle) return undefined;
    try {
      return { ...found, content: await handle.readFile() };
    } finally {
      await handle.close();
    }
  } catch (error) {
    const why: Record<string, string> = { EACCES: 'this user may not read it', EIO: 'the disk fails' };
    const problem = why[systemCode(error) ?? ''];
    if (!problem) throw error;
    return { ...found, problem };
  }
}

/** Opens a regular file, never a link; undefined when there is none. */
async function openPlain(path: string): Promise<FileHandle | undefined> {
  const handle = await ifThere(
    open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK),
    'ELOOP',
    'ENXIO',
  );
  if (!handle || (await handle.stat()).isFile()) return handle;
  await handle.close();
  return undefined;
}
