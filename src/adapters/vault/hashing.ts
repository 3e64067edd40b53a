import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { AixclError, systemCode } from '../../errors.ts';
import { shellWord } from '../../shell-word.ts';
import { type Digest, digestOf } from '../../vault/digest.ts';
import type { FileIdentity } from '../../vault/evidence.ts';
import type { WorkOptions } from '../../vault/vault.ts';
import { identityOf, unchanged } from './file-identity.ts';
import { type HashThread, hashThread } from './hash-threads.ts';

/** Up to this size a file is hashed at once, without a thread. */
const smallBytes = 1024 * 1024;
const stepBytes = 32 * 1024 * 1024;

/** The file is not what it was when work on it began. */
export class FileChanged extends Error {}

let jobs = 0;

/** A hash over a file from its beginning, that may still be growing. */
export class GrowingHash {
  readonly #job = jobs++;
  readonly #thread: HashThread = hashThread();
  readonly #descriptor: number;
  #fed = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Takes in what lies before `end`. One call at a time. */
  async upTo(end: number): Promise<void> {
    const from = this.#fed;
    this.#fed = end;
    await this.#thread.feed(this.#job, this.#descriptor, from, end).catch(asChange);
  }

  async finish(): Promise<Digest> {
    return digestOf(await this.#thread.finish(this.#job));
  }

  drop(): void {
    this.#thread.drop(this.#job);
  }
}

/** Hashes the first `size` bytes of an open file. Throws `FileChanged` when it has fewer. */
export async function hashOpen(handle: FileHandle, size: number, options: WorkOptions): Promise<Digest> {
  options.signal.throwIfAborted();
  if (size <= smallBytes) return hashSmall(handle, size, options);
  const hash = new GrowingHash(handle.fd);
  try {
    for (let end = 0; end < size; ) {
      options.signal.throwIfAborted();
      end = Math.min(size, end + stepBytes);
      await hash.upTo(end);
      options.onProgress?.(end);
    }
    return await hash.finish();
  } catch (error) {
    hash.drop();
    throw error;
  }
}

async function hashSmall(handle: FileHandle, size: number, options: WorkOptions): Promise<Digest> {
  const buffer = Buffer.allocUnsafe(size);
  for (let at = 0; at < size; ) {
    const { bytesRead } = await handle.read(buffer, at, size - at, at);
    if (bytesRead === 0) throw new FileChanged('it ends early');
    at += bytesRead;
  }
  options.onProgress?.(size);
  return digestOf(createHash('sha256').update(buffer).digest('hex'));
}

/** Hashes all of an open file; throws `FileChanged` when it changes meanwhile. Answers which file that was. */
export async function hashWhole(
  handle: FileHandle,
  options: WorkOptions,
): Promise<{ readonly digest: Digest; readonly identity: FileIdentity }> {
  const before = identityOf(await handle.stat({ bigint: true }));
  const digest = await hashOpen(handle, before.size, options);
  const identity = identityOf(await handle.stat({ bigint: true }));
  if (!unchanged(before, identity)) throw new FileChanged('it changed while it was hashed');
  return { digest, identity };
}

/**
 * Hashes the regular file at `path`, which may be no link. A file that changes meanwhile is hashed once more; throws `refused` when it
 * changes again, `notFound`, or `refused` when it can't be read.
 */
export async function hashFile(
  path: string,
  options: WorkOptions,
): Promise<{ readonly digest: Digest; readonly identity: FileIdentity }> {
  return tryTwice(path, async () => {
    await using handle = await openRegular(path);
    return await hashWhole(handle, options);
  });
}

/** Does `work` on `what`, and once more when that changed meanwhile. */
export async function tryTwice<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FileChanged)) throw error;
  }
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FileChanged)) throw error;
    throw new AixclError('refused', `${what} changes while it is read: ${error.message}`, {
      hint: 'Let whatever writes it finish, then run the command again.',
      cause: error,
    });
  }
}

/** Opens a regular file for reading, without following a link at its end. `descriptor`: it is open already, whatever became of its name. */
export async function openRegular(path: string, descriptor?: number): Promise<FileHandle> {
  const held = descriptor !== undefined && process.platform === 'linux';
  const nonBlocking = constants.O_RDONLY | constants.O_NONBLOCK;
  try {
    const handle = held
      ? await open(`/proc/self/fd/${descriptor}`, nonBlocking)
      : await open(path, nonBlocking | constants.O_NOFOLLOW);
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
  } catch (error) {
    throw notOpened(error, path);
  }
  throw new AixclError('verification', `${path} is not a regular file`, {
    hint: `ls -ld ${shellWord(path)}`,
  });
}

function notOpened(error: unknown, path: string): unknown {
  switch (systemCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new AixclError('notFound', `${path} is not there`, {
        hint: `ls -l ${shellWord(path)}`,
        cause: error,
      });
    case 'ELOOP':
    case 'ENXIO':
      return new AixclError('verification', `${path} is not a regular file`, {
        hint: `ls -ld ${shellWord(path)}`,
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
      return new AixclError('refused', `${path} can't be read by this user`, {
        hint: `ls -l ${shellWord(path)}`,
        cause: error,
      });
    default:
      return error;
  }
}

function asChange(error: unknown): never {
  if (systemCode(error) === 'SHORT') throw new FileChanged('it ends early');
  throw error;
}
