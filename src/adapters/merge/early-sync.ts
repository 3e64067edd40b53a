import type { FileHandle } from 'node:fs/promises';

/** Bytes after which the disk is set to work, while more are being computed. */
const stretch = 512 * 2 ** 20;

/**
 * Syncs a file that is being written, a stretch at a time, so that the sync at its end finds little left to do: the system by itself would begin
 * seconds or gigabytes later.
 */
export class EarlySync {
  readonly #handle: FileHandle;
  #since = 0;
  #underWay: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** So many bytes more are written. Throws what an earlier sync failed with: a sync that failed is not tried again. */
  written(bytes: number): void {
    this.#throwFailure();
    this.#since += bytes;
    if (this.#since < stretch || this.#underWay) return;
    this.#since = 0;
    this.#underWay = this.#handle
      .datasync()
      .catch((error) => {
        this.#failure = { error };
      })
      .finally(() => {
        this.#underWay = undefined;
      });
  }

  /** All is on the disk, or this throws. */
  async finish(): Promise<void> {
    await this.settled();
    this.#throwFailure();
    await this.#handle.sync();
  }

  /** Nothing of this touches the file any more; never throws. */
  async settled(): Promise<void> {
    await this.#underWay;
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.error;
  }
}
