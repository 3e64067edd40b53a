import { constants } from 'node:fs';
import { type FileHandle, open, truncate } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { give, ownershipOf, syncDirectory } from '../../adapters/durable.ts';
import type {
  About,
  FoundUpload,
  HashedFile,
  KeptState,
  UploadFolder,
} from '../../adapters/models-directory/upload-folder.ts';
import type { Problem } from '../api.ts';
import { pour } from './pour.ts';

/** Bytes that may be lost with the power. */
const syncEvery = 256 * 2 ** 20;

/** One upload: what came of it, and what became of that. */
export class Upload {
  readonly folder: UploadFolder;
  readonly about: About;
  /** Bytes received, from the first on. */
  received: number;
  /** When the last of them came, in milliseconds of the clock. */
  touched: number;
  phase: 'receiving' | 'parts' | 'checking' | 'exists' | 'refused';
  /** Bytes hashed. */
  checked = 0;
  #state: KeptState;
  #notes: Promise<void> = Promise.resolve();
  #syncing: Promise<void> | undefined;
  /** Why a sync failed, while bytes come. */
  #broken: unknown;
  #appending = false;
  #interrupt: (() => void) | undefined;
  readonly #boot: string | null;

  constructor(folder: UploadFolder, found: FoundUpload, boot: string | null) {
    this.folder = folder;
    this.about = found.about;
    this.received = found.received;
    this.touched = found.touched;
    this.#state = found.state;
    this.#boot = boot;
    this.phase = found.state.problem && this.whole ? 'refused' : 'receiving';
  }

  get id(): string {
    return this.folder.id;
  }

  get whole(): boolean {
    return this.received >= this.about.size;
  }

  get hashed(): HashedFile | null {
    return this.#state.hashed;
  }

  get problem(): Problem | null {
    return this.#state.problem;
  }

  get agreed(): boolean {
    return this.#state.agreed;
  }

  /**
   * After another boot only what was synced counts: the rest was in memory when the power went, and the length of a file says nothing of
   * what was written of it.
   */
  async trustOnlySynced(): Promise<void> {
    if (this.#boot !== null && this.#state.boot === this.#boot) return;
    const synced = Math.min(this.#state.synced, this.received);
    if (this.received > synced) await truncate(this.folder.bytes, synced);
    this.received = synced;
    await this.note({ synced, boot: this.#boot });
  }

  /** Not kept: the next process finds out for itself. */
  refuse(problem: Problem): void {
    this.phase = 'refused';
    this.#state = { ...this.#state, problem };
  }

  /** Its bytes are not there any more. */
  async startOver(): Promise<void> {
    this.received = 0;
    this.phase = 'receiving';
    await this.note({ synced: 0, boot: this.#boot, hashed: null, problem: null });
  }

  /** Keeps what is now known of it. */
  async note(change: Partial<KeptState>): Promise<void> {
    this.#state = { ...this.#state, ...change };
    const next = this.#notes.then(() => this.folder.note(this.#state));
    this.#notes = next.catch(() => {});
    await next;
  }

  /**
   * Writes what comes at the end of what is there, until `stream` ends, breaks off or is interrupted; `received` grows as it is written, and
   * stays true when this throws. What comes beyond the announced length is not written, and thrown for.
   */
  async append(stream: Readable): Promise<void> {
    if (this.problem) await this.note({ problem: null });
    await using handle = await this.#open();
    this.#appending = true;
    try {
      await pour(stream, {
        write: (chunks) => this.#write(handle, chunks),
        stoppable: (stop) => {
          this.#interrupt = stop;
        },
      });
    } finally {
      this.#interrupt = undefined;
      this.#appending = false;
      await this.#dropUnsynced();
    }
  }

  /** Ends the appending that is under way. */
  interrupt(): void {
    this.#interrupt?.();
  }

  async #open(): Promise<FileHandle> {
    const { O_WRONLY, O_CREAT, O_NOFOLLOW } = constants;
    const isNew = this.received === 0;
    const handle = await open(this.folder.bytes, O_WRONLY | O_CREAT | O_NOFOLLOW, 0o644);
    try {
      if (isNew) await give(handle, await ownershipOf(this.folder.path));
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async #write(handle: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
    let left = chunks;
    const coming = left.reduce((sum, { length }) => sum + length, 0);
    if (coming > this.about.size - this.received) throw moreThanAnnounced;
    while (left.length > 0) {
      if (this.#broken) throw this.#broken;
      let { bytesWritten } = await handle.writev(left as Uint8Array[], this.received);
      this.received += bytesWritten;
      this.touched = Date.now();
      while (left.length > 0 && bytesWritten >= left[0]!.length) {
        bytesWritten -= left[0]!.length;
        left = left.slice(1);
      }
      if (bytesWritten > 0) left = [left[0]!.subarray(bytesWritten), ...left.slice(1)];
    }
    if (this.received - this.#state.synced >= syncEvery && !this.whole) this.#syncBeside();
  }

  /** While more comes, which it ends where it fails. */
  #syncBeside(): void {
    this.#syncing ??= this.#sync()
      .catch(() => {})
      .finally(() => {
        this.#syncing = undefined;
      });
  }

  /** Brings all that was received to the disk, and keeps how much that is. */
  async sync(): Promise<void> {
    await this.#syncing;
    if (this.#state.synced < this.received) await this.#sync();
  }

  async #sync(): Promise<void> {
    const upTo = this.received;
    await using handle = await open(this.folder.bytes, 'r+');
    try {
      await handle.datasync();
    } catch (error) {
      this.#broken = error;
      if (!this.#appending) await this.#dropUnsynced();
      throw error;
    }
    if (this.#state.synced === 0) await syncDirectory(this.folder.path);
    await this.note({ synced: upTo });
  }

  /** After a sync that failed: pages that could not be written are clean afterwards, and a second one would say that all is well. */
  async #dropUnsynced(): Promise<void> {
    if (!this.#broken) return;
    this.#broken = undefined;
    this.received = this.#state.synced;
    // By its length the next process knows what came.
    await truncate(this.folder.bytes, this.received);
  }

  /** Takes it off the disk. */
  async clear(): Promise<void> {
    await this.#syncing;
    await this.#notes;
    await this.folder.clear();
  }
}

const moreThanAnnounced = Object.assign(new Error('more came than was announced'), {
  status_code: 413,
  body: '',
});
