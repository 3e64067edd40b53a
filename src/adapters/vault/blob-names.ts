import { syncDirectory } from '../durable.ts';

/**
 * Names that blobs got and that a power cut may still take: all of them reach the disk by one sync, before anything rests on one. They count
 * as not synced to begin with, as a command that was killed may have left some.
 */
export class BlobNames {
  readonly #folder: string;
  #synced = false;
  #running: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  changed(): void {
    this.#synced = false;
  }

  /** A sync that failed is not tried again: the next one might succeed and mean nothing. */
  async sync(): Promise<void> {
    if (this.#failure) throw this.#failure.error;
    if (!this.#synced) {
      this.#synced = true;
      this.#running = syncDirectory(this.#folder).catch((error: unknown) => {
        this.#failure = { error };
        throw error;
      });
    }
    await this.#running;
  }
}
