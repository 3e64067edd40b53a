import { AixclError } from '../../../errors.ts';
import type { ByteSource } from '../../../models/gguf/byte-source.ts';
import { blobsOf } from '../../../models/ollama/manifest.ts';
import type {
  OllamaStore,
  OpenBlobs,
  StoredBlob,
  StoredManifest,
  StoreWriter,
} from '../../../models/ollama/store.ts';
import type { Engine } from '../../../stack/engine.ts';
import type { Digest } from '../../../vault/digest.ts';
import { HelperContainer } from '../../helper-container.ts';
import type { HelperMount, HelperWish } from '../../helper-spec.ts';
import { DistantBlobs } from './distant-blobs.ts';
import { HelperWriter } from './helper-writer.ts';
import { blobPath, largestManifest, manifestsFolder } from './layout.ts';
import { byPath, type FoundManifest, storedManifest, tooLarge } from './read-manifests.ts';
import { entriesOf } from './tar.ts';

export interface EngineStoreOptions {
  readonly engine: Engine;
  /** For people: `volume ollama`. */
  readonly place: string;
  /** Ollama's container, running or not; undefined: there is none, and a helper is made for each look. */
  readonly container: Container | undefined;
  /** What holds the models, for a helper; undefined: the container's own layer, which no other container can reach. */
  readonly mount: StoreMount | undefined;
  readonly home: string;
  /** Images for a helper, the likeliest first. */
  readonly images: readonly string[];
  readonly signal: AbortSignal;
}

export interface Container {
  readonly id: string;
  readonly running: boolean;
  /** Ollama's folder `models` inside it. */
  readonly models: string;
}

export type StoreMount = (
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'volume'; readonly name: string }
) & {
  /** Ollama's folder `models` below it; empty when it is that folder. */
  readonly below: string;
};

/** Where a helper sees what holds the models. */
const target = '/store';

/** Ollama's store where this process can't read: a volume inside the engine. Read by the archive API, written by a helper. */
export class EngineStore implements OllamaStore {
  readonly place: string;
  readonly distant = true;
  readonly #options: EngineStoreOptions;

  constructor(options: EngineStoreOptions) {
    this.place = options.place;
    this.#options = options;
  }

  async manifests(): Promise<readonly StoredManifest[]> {
    const found = await this.#look(async ({ id, models }) => {
      const tar = await this.#engine.readArchive(id, `${models}/${manifestsFolder}`, this.#signal);
      const read: FoundManifest[] = [];
      if (!tar) return read;
      for await (const { name, kind, size, modified, bytes } of entriesOf(tar)) {
        const path = name.replace(/^\.?\/?/, '').slice(manifestsFolder.length + 1);
        if (kind === 'directory') continue;
        if (kind !== 'file') read.push({ path, modified, content: null, problem: 'it is no regular file' });
        else if (size > largestManifest) read.push({ path, modified, content: null, problem: tooLarge });
        else read.push({ path, modified, content: await all(bytes) });
      }
      return read;
    });
    return (found ?? []).flatMap((each) => storedManifest(each) ?? []).sort(byPath);
  }

  async blobs(also: Iterable<Digest> = []): Promise<ReadonlyMap<Digest, StoredBlob>> {
    const named = (await this.manifests()).flatMap(({ manifest }) =>
      manifest ? blobsOf(manifest).map(({ digest }) => digest) : [],
    );
    const wanted = [...new Set([...named, ...also])];
    const found = await this.#look(({ id, models }) =>
      inTurns(wanted, async (digest) => {
        const state = await this.#engine.statPath(id, `${models}/${blobPath(digest)}`);
        return state?.kind === 'file' ? ([digest, { size: state.size, proven: false }] as const) : undefined;
      }),
    );
    return new Map((found ?? []).filter((each) => each !== undefined));
  }

  /** By Ollama's own container where there is one: what is read is little, and nobody waits long for the container. */
  async peek(digest: Digest): Promise<(ByteSource & AsyncDisposable) | undefined> {
    const { container } = this.#options;
    const wanted = [{ digest, size: null }];
    const open = container
      ? DistantBlobs.open(this.#engine, container, undefined, wanted)
      : this.open(wanted);
    const opened = await open.catch((error: unknown) => {
      if (error instanceof AixclError && error.code === 'verification') return undefined;
      throw error;
    });
    if (!opened) return undefined;
    const [file] = opened.files;
    const stream = file?.bytes;
    if (stream?.kind !== 'stream') throw new Error('a blob of the engine is a stream');
    return {
      size: file!.size,
      async read(offset, length) {
        const pieces: Buffer[] = [];
        let at = 0;
        const bytes = await stream.open();
        // Leaving the loop destroys the stream, and with it the request.
        for await (const piece of bytes) {
          pieces.push((piece as Buffer).subarray(Math.max(0, offset - at), offset + length - at));
          at += (piece as Buffer).length;
          if (at >= offset + length) break;
        }
        return Buffer.concat(pieces);
      },
      [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
    };
  }

  /** By a helper that never runs: while a file is read, the engine lets nobody at the container that it is read from. */
  async open(
    wanted: readonly { readonly digest: Digest; readonly size: number | null }[],
  ): Promise<OpenBlobs> {
    const { container, mount } = this.#options;
    if (!mount) return DistantBlobs.open(this.#engine, container!, undefined, wanted);
    const helper = await HelperContainer.create(this.#engine, this.#wish('read', mount));
    try {
      return await DistantBlobs.open(this.#engine, inHelper(helper, mount), helper, wanted);
    } catch (error) {
      await helper[Symbol.asyncDispose]();
      throw error;
    }
  }

  async write(operation: string, signal: AbortSignal): Promise<StoreWriter> {
    const { mount } = this.#options;
    if (!mount) throw this.#unmounted();
    const helper = await HelperContainer.start(this.#engine, { ...this.#wish(operation, mount), signal });
    try {
      return await HelperWriter.open(
        { engine: this.#engine, helper, models: modelsIn(mount), place: this.place, signal },
        operation,
      );
    } catch (error) {
      await helper[Symbol.asyncDispose]();
      throw error;
    }
  }

  async space(): Promise<{ free: number; total: number } | null> {
    const { container, mount } = this.#options;
    if (container?.running) {
      const script = 'while [ ! -d "$1" ]; do set -- "$(dirname "$1")"; done; df -Pk "$1"';
      const argv = ['sh', '-c', script, 'sh', container.models];
      const { exitCode, output } = await this.#engine.exec(container.id, argv);
      if (exitCode === 0) return diskOf(output);
    }
    if (!mount || !(await this.#there(mount))) return null;
    await using helper = await HelperContainer.start(this.#engine, this.#wish('space', mount));
    return diskOf(await helper.run('df -Pk "$1"', [target], this.#options.signal));
  }

  /** Looks into the store by Ollama's own container, or by a helper; undefined when there is nothing to look into. */
  async #look<T>(look: (inside: Pick<Container, 'id' | 'models'>) => Promise<T>): Promise<T | undefined> {
    const { container, mount } = this.#options;
    if (container) return look(container);
    if (!mount || !(await this.#there(mount))) return undefined;
    await using helper = await HelperContainer.create(this.#engine, this.#wish('look', mount));
    return await look(inHelper(helper, mount));
  }

  async #there(mount: StoreMount): Promise<boolean> {
    return mount.kind === 'folder' || (await this.#engine.inspectVolume(mount.name)) !== undefined;
  }

  #wish(operation: string, mount: StoreMount): HelperWish {
    const { home, images, signal } = this.#options;
    return { home, operation, images, mounts: [helperMount(mount)], signal };
  }

  #unmounted(): AixclError {
    return new AixclError('refused', `${this.place} keeps its models in no volume and no folder`, {
      hint: 'aixcl stack start ollama --adopt',
    });
  }

  get #engine(): Engine {
    return this.#options.engine;
  }

  get #signal() {
    return { signal: this.#options.signal };
  }
}

function helperMount(mount: StoreMount): HelperMount {
  return mount.kind === 'volume'
    ? { kind: 'volume', name: mount.name, target, readOnly: false }
    : { kind: 'folder', path: mount.path, target, readOnly: false };
}

function modelsIn({ below }: StoreMount): string {
  return below === '' ? target : `${target}/${below}`;
}

function inHelper({ id }: HelperContainer, mount: StoreMount): Pick<Container, 'id' | 'models'> {
  return { id, models: modelsIn(mount) };
}

/** Second line of `df -Pk`: device, total, used, free, in units of 1024 bytes (POSIX). */
function diskOf(output: string): { free: number; total: number } | null {
  const line = output.trim().split('\n').at(-1) ?? '';
  const [, total, , free] = /\s(\d+)\s+(\d+)\s+(-?\d+)\s+\d+%/.exec(line) ?? [];
  if (total === undefined || free === undefined) return null;
  return { free: Math.max(0, Number(free)) * 1024, total: Number(total) * 1024 };
}

async function all(bytes: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of bytes) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** A few requests at a time. */
async function inTurns<T, R>(items: readonly T[], ask: (item: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  for (let at = 0; at < items.length; at += 8) {
    answers.push(...(await Promise.all(items.slice(at, at + 8).map(ask))));
  }
  return answers;
}
