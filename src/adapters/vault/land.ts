import { constants } from 'node:fs';
import { copyFile, type FileHandle, open, stat, unlink } from 'node:fs/promises';
import { AixclError, systemCode } from '../../errors.ts';
import type { Digest } from '../../vault/digest.ts';
import type { WorkOptions } from '../../vault/vault.ts';
import { FileChanged, GrowingHash, hashOpen } from './hashing.ts';

const chunkBytes = 4 * 1024 * 1024;
/** So much is written before it is sent to the disk and hashed: both go on while more is copied. */
const stretchBytes = 32 * 1024 * 1024;

/**
 * Writes `chunks`, `size` bytes in all, to the new, empty file `to`, syncs it, and hashes what landed: read back from the file, not from
 * what was handed over. Throws `FileChanged` when there are more or fewer bytes.
 */
export async function land(
  chunks: AsyncIterable<Uint8Array>,
  to: FileHandle,
  size: number,
  options: WorkOptions,
): Promise<Digest> {
  if (size <= stretchBytes) {
    await write(chunks, to, size, options, async () => {});
    await to.sync();
    return hashOpen(to, size, { signal: options.signal });
  }
  const hash = new GrowingHash(to.fd);
  const behind = new Behind();
  try {
    await write(chunks, to, size, options, (end) => behind.add([() => to.datasync(), () => hash.upTo(end)]));
    await behind.done();
    await to.sync();
    return await hash.finish();
  } catch (error) {
    // What still runs uses the file, which our caller closes.
    await behind.settled();
    hash.drop();
    throw error;
  }
}

/** Work that follows the copying; at most two stretches behind it. An error shows at the next `add`. */
class Behind {
  #running: Promise<unknown> = Promise.resolve();
  #before: Promise<unknown> = Promise.resolve();

  async add(work: readonly (() => Promise<void>)[]): Promise<void> {
    await this.#before;
    this.#before = this.#running;
    this.#running = this.#running.then(() => allOf(work));
    this.#running.catch(() => {});
  }

  async done(): Promise<void> {
    await this.#running;
  }

  async settled(): Promise<void> {
    await this.#running.catch(() => {});
  }
}

/** Waits for all, also when one fails. */
async function allOf(work: readonly (() => Promise<void>)[]): Promise<void> {
  for (const outcome of await Promise.allSettled(work.map((each) => each()))) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}

async function write(
  chunks: AsyncIterable<Uint8Array>,
  to: FileHandle,
  size: number,
  options: WorkOptions,
  onStretch: (end: number) => Promise<void>,
): Promise<void> {
  let done = 0;
  let stretch = 0;
  for await (const chunk of chunks) {
    options.signal.throwIfAborted();
    if (done + chunk.length > size) throw new FileChanged(`it has more than ${size} bytes`);
    for (let written = 0; written < chunk.length; ) {
      const rest = chunk.length - written;
      written += (await to.write(chunk, written, rest, done + written)).bytesWritten;
    }
    done += chunk.length;
    options.onProgress?.(done);
    if (done - stretch >= stretchBytes || done === size) {
      stretch = done;
      await onStretch(done);
    }
  }
  if (done < size) throw new FileChanged(`it has ${done} bytes, where ${size} were expected`);
}

/** All of the open file `name`, in chunks that share one buffer: each is good until the next is asked for. */
export async function* chunksOf(handle: FileHandle, name: string): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(chunkBytes);
  for (let position = 0; ; ) {
    const at = position;
    const { bytesRead } = await onSource(name, () => handle.read(buffer, 0, buffer.length, at));
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    position += bytesRead;
  }
}

/** Tells a disk that fails under the source from one that fails under the vault. */
export async function onSource<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (systemCode(error) !== 'EIO') throw error;
    throw new AixclError('verification', `${name} can't be read: its disk fails`, {
      hint: 'dmesg | tail',
      cause: error,
    });
  }
}

/**
 * Makes the new name `to` a file that shares the blocks of the open file `from`, which `path` leads to. False where the two places can't;
 * nothing is left of `to` then.
 */
export async function reflink(from: FileHandle, path: string, to: string): Promise<boolean> {
  // copyFile takes no handles; on Linux this name leads to the very file that is open.
  const opened = process.platform === 'linux' ? `/proc/self/fd/${from.fd}` : path;
  try {
    await copyFile(opened, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw error;
    await stat(to).then(
      () => unlink(to),
      () => undefined,
    );
    if (['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'].includes(systemCode(error) ?? '')) throw error;
    return false;
  }
}

/** Makes the new, empty file `path`, for this process alone. */
export async function makeNew(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
}

/** Throws `verification` unless `found` is what was to come. */
export function assertDigest(found: Digest, expected: Digest, what: string): void {
  if (found === expected) return;
  throw new AixclError('verification', `${what} is damaged: its bytes hash to ${found}, not ${expected}`, {
    hint: 'aixcl models verify',
  });
}
