import { AixclError, systemCode } from '../../../errors.ts';
import type { OllamaStore, OpenBlobs, StoredManifest, StoreWriter } from '../../../models/ollama/store.ts';
import type { Digest } from '../../../vault/digest.ts';

/**
 * A store in a directory some of whose files this process may not read: an Ollama that runs as root may have made them its own. Those are read
 * by the engine. Where that can't be, they stay unread.
 */
export class PartlyClosedStore implements OllamaStore {
  readonly #directory: OllamaStore;
  readonly #byEngine: () => Promise<OllamaStore>;
  /** By path. A helper container for each look would cost more than the look. */
  readonly #read = new Map<string, StoredManifest>();

  /** `byEngine`: the same store by way of the engine; throws while there is none. */
  constructor(directory: OllamaStore, byEngine: () => Promise<OllamaStore>) {
    this.#directory = directory;
    this.#byEngine = byEngine;
  }

  get place(): string {
    return this.#directory.place;
  }

  get distant(): boolean {
    return this.#directory.distant;
  }

  async manifests(): Promise<readonly StoredManifest[]> {
    const found = await this.#directory.manifests();
    const unread = found.filter((each) => each.unread && !this.#known(each));
    if (unread.length > 0) await this.#readByEngine(unread);
    return found.map((each) => (each.unread ? (this.#known(each) ?? each) : each));
  }

  #known({ path, modified }: StoredManifest): StoredManifest | undefined {
    const read = this.#read.get(path);
    return read?.modified.getTime() === modified.getTime() ? read : undefined;
  }

  async #readByEngine(unread: readonly StoredManifest[]): Promise<void> {
    try {
      const all = await (await this.#byEngine()).manifests();
      for (const { path, modified } of unread) {
        const read = all.find((each) => each.path === path);
        // The time as this process sees it, which an archive may tell less finely.
        if (read && !read.unread) this.#read.set(path, { ...read, modified });
      }
    } catch (error) {
      if (!(error instanceof AixclError)) throw error;
    }
  }

  blobs(also?: Iterable<Digest>): ReturnType<OllamaStore['blobs']> {
    return this.#directory.blobs(also);
  }

  async peek(digest: Digest): ReturnType<OllamaStore['peek']> {
    try {
      return await this.#directory.peek(digest);
    } catch (error) {
      if (!['EACCES', 'EPERM'].includes(systemCode(error) ?? '')) throw error;
      return (await this.#byEngine()).peek(digest);
    }
  }

  async open(blobs: Parameters<OllamaStore['open']>[0]): Promise<OpenBlobs> {
    try {
      return await this.#directory.open(blobs);
    } catch (error) {
      if (!(error instanceof AixclError) || error.code !== 'refused') throw error;
      const store = await this.#byEngine().catch(() => undefined);
      if (!store) throw error;
      return store.open(blobs);
    }
  }

  write(operation: string, signal: AbortSignal): Promise<StoreWriter> {
    return this.#directory.write(operation, signal);
  }

  space(): ReturnType<OllamaStore['space']> {
    return this.#directory.space();
  }
}
