import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { AixclError } from '../../../errors.ts';
import type { OpenBlobs } from '../../../models/ollama/store.ts';
import type { Engine, PathState } from '../../../stack/engine.ts';
import { type Digest, digestOf } from '../../../vault/digest.ts';
import type { SourceFile } from '../../../vault/subject.ts';
import type { WorkOptions } from '../../../vault/vault.ts';
import { ContainerFiles } from '../../container-files.ts';
import { broken } from './held-blobs.ts';
import { blobPath } from './layout.ts';

interface Seen {
  readonly digest: Digest;
  readonly state: PathState;
}

/**
 * Blobs that the engine reads for us, by way of a container. Nothing holds them: one that Ollama removes meanwhile can't be read to its end.
 * They are read one after the other, as the engine reads no two things from one container at a time.
 */
export class DistantBlobs implements OpenBlobs {
  readonly files: readonly SourceFile[];
  readonly #engine: Engine;
  readonly #inside: { readonly id: string; readonly models: string };
  readonly #helper: AsyncDisposable | undefined;
  readonly #seen: readonly Seen[];
  readonly #files: ContainerFiles;

  private constructor(
    engine: Engine,
    inside: { readonly id: string; readonly models: string },
    helper: AsyncDisposable | undefined,
    seen: readonly Seen[],
  ) {
    this.#engine = engine;
    this.#inside = inside;
    this.#helper = helper;
    this.#seen = seen;
    this.#files = new ContainerFiles(engine, inside.id);
    this.files = seen.map(({ digest, state }) => ({
      path: blobPath(digest),
      size: state.size,
      digest,
      proven: false,
      bytes: { kind: 'stream', open: () => this.#read(digest, state.size) },
    }));
  }

  /** `helper` goes when the blobs are closed. */
  static async open(
    engine: Engine,
    inside: { readonly id: string; readonly models: string },
    helper: AsyncDisposable | undefined,
    wanted: readonly { readonly digest: Digest; readonly size: number | null }[],
  ): Promise<DistantBlobs> {
    const seen: Seen[] = [];
    for (const { digest, size } of wanted) {
      const shown = blobPath(digest);
      const state = await engine.statPath(inside.id, `${inside.models}/${shown}`);
      if (!state) throw broken(shown, 'is missing');
      if (state.kind !== 'file') throw broken(shown, 'is no regular file');
      if (size !== null && state.size !== size) throw broken(shown, `has ${state.size} of ${size} bytes`);
      seen.push({ digest, state });
    }
    return new DistantBlobs(engine, inside, helper, seen);
  }

  async hash(digest: Digest, options: WorkOptions): Promise<Digest> {
    const file = this.files.find((each) => each.digest === digest);
    if (!file) throw new Error(`${digest} was not opened`);
    const hash = createHash('sha256');
    let done = 0;
    for await (const chunk of await this.#read(digest, file.size)) {
      options.signal.throwIfAborted();
      hash.update(chunk as Buffer);
      done += (chunk as Buffer).length;
      options.onProgress?.(done);
    }
    return digestOf(hash.digest('hex'));
  }

  async assertUnchanged(): Promise<void> {
    for (const { digest, state } of this.#seen) {
      const now = await this.#engine.statPath(this.#inside.id, this.#path(digest));
      if (now?.size === state.size && now.modified === state.modified && now.kind === 'file') continue;
      throw new AixclError(
        'verification',
        `${blobPath(digest)} of Ollama's store changed while it was read`,
        {
          hint: 'Let Ollama finish what it does, then run the command again.',
        },
      );
    }
  }

  async #read(digest: Digest, size: number): Promise<Readable> {
    const bytes = await this.#files.read(this.#path(digest), blobPath(digest), size);
    if (!bytes) throw broken(blobPath(digest), 'is missing');
    return bytes;
  }

  #path(digest: Digest): string {
    return `${this.#inside.models}/${blobPath(digest)}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#helper?.[Symbol.asyncDispose]();
  }
}
