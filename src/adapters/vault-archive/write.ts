import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type FileHandle, open, rm, statfs } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import prettyBytes from 'pretty-bytes';
import type { Pack } from 'tar-stream';
import { AixclError, systemCode } from '../../errors.ts';
import { shellWord } from '../../shell-word.ts';
import { type Digest, digestOf } from '../../vault/digest.ts';
import type { WorkOptions } from '../../vault/vault.ts';
import { publishFile } from '../models-directory/publish.ts';
import { scanArchive } from './scan.ts';

/** One entry of the archive to be. */
export interface ArchiveEntry {
  readonly name: string;
  readonly size: number;
  /** What its bytes must hash to; null for what was made just now. */
  readonly digest: Digest | null;
  /** For an error about its bytes: `blobs/sha256/… of b0012 (llama3.2:1b)`. */
  readonly shown: string;
  open(): Promise<Readable>;
}

/**
 * Writes a tar under a temporary name beside `file`, hashing what goes in; syncs it, reads it again from its beginning and hashes what landed;
 * then gives it its name, unless somebody has that. Throws `refused` for a name that is taken, `verification` naming the entry whose bytes are
 * wrong, `noSpace` before anything is written where that is known. Nothing of it stays when it fails.
 */
export async function writeArchive(
  file: string,
  entries: readonly ArchiveEntry[],
  time: Date,
  { signal, onProgress }: WorkOptions,
): Promise<{ readonly size: number }> {
  const target = resolve(file);
  const size = sizeOf(entries);
  await assertRoom(target, size);
  const staged = join(dirname(target), `.${basename(target).slice(0, 200)}.${process.pid}.part`);
  try {
    const handle = await open(staged, 'wx+', 0o644);
    try {
      await fill(handle, entries, time, { signal, onProgress: (done) => onProgress?.(done / 2) });
      await handle.sync();
      await scanArchive(handle, staged, { signal, onProgress: (done) => onProgress?.((size + done) / 2) });
    } finally {
      await handle.close();
    }
    if (!(await publishFile(staged, target))) throw taken(target);
    return { size };
  } catch (error) {
    await rm(staged, { force: true });
    throw explained(error, target);
  }
}

/** Bytes of the whole tar. */
export function sizeOf(entries: readonly ArchiveEntry[]): number {
  const padded = (bytes: number) => Math.ceil(bytes / 512) * 512;
  return entries.reduce((sum, { size }) => sum + 512 + padded(size), 1024);
}

export function taken(file: string): AixclError {
  return new AixclError('refused', `${file} is there already, and is not written over`, {
    hint: `Give another name, or look at what it is: tar tf ${shellWord(file)}`,
  });
}

async function assertRoom(target: string, size: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(target)).catch((error: unknown) => {
    throw explained(error, target);
  });
  if (bavail * bsize >= size) return;
  throw new AixclError(
    'noSpace',
    `${prettyBytes(size)} are needed on the disk of ${target}, which has ${prettyBytes(bavail * bsize)} free`,
    { hint: `df -h ${shellWord(dirname(target))}` },
  );
}

async function fill(
  handle: FileHandle,
  entries: readonly ArchiveEntry[],
  time: Date,
  { signal, onProgress }: WorkOptions,
): Promise<void> {
  const { pack: packer } = await import('tar-stream');
  const pack = packer();
  const stop = new AbortController();
  const fed = feed(pack, entries, time, AbortSignal.any([signal, stop.signal]), onProgress);
  // What ends the pack ends the loop, and the other way round.
  const failed = fed.catch((error: unknown) => void pack.destroy(error as Error));
  try {
    for await (const chunk of pack as AsyncIterable<Uint8Array>) await writeAll(handle, chunk);
  } catch (error) {
    stop.abort(error);
    throw error;
  } finally {
    await failed;
  }
  await fed;
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await handle.write(chunk, done);
    done += bytesWritten;
  }
}

async function feed(
  pack: Pack,
  entries: readonly ArchiveEntry[],
  time: Date,
  signal: AbortSignal,
  onProgress: ((done: number) => void) | undefined,
): Promise<void> {
  let done = 0;
  for (const { name, size, digest, shown, open: openEntry } of entries) {
    const sink = pack.entry({ name, size, mode: 0o644, mtime: time, uid: 0, gid: 0 });
    sink.on('error', () => undefined);
    const hash = createHash('sha256');
    for await (const chunk of (await openEntry()) as AsyncIterable<Uint8Array>) {
      signal.throwIfAborted();
      hash.update(chunk);
      done += chunk.length;
      onProgress?.(done);
      if (!sink.write(chunk)) await once(sink, 'drain', { signal });
    }
    if (digest && digestOf(hash.digest('hex')) !== digest) {
      throw new AixclError('verification', `${shown} is damaged in the vault, so that nothing was exported`, {
        hint: 'aixcl vault verify --repair',
      });
    }
    sink.end(undefined);
    await once(sink, 'close', { signal });
  }
  pack.finalize();
}

function explained(error: unknown, target: string): unknown {
  const folder = dirname(target);
  switch (systemCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new AixclError('noSpace', `the disk of ${target} is full; nothing of the archive was kept`, {
        hint: `df -h ${shellWord(folder)}`,
        cause: error,
      });
    case 'EFBIG':
      return new AixclError('noSpace', `the file system of ${target} takes no file as large as the archive`, {
        hint: `findmnt -T ${folder}`,
        cause: error,
      });
    case 'ENOENT':
    case 'ENOTDIR':
      return new AixclError('notFound', `there is no folder ${folder}`, {
        hint: `mkdir -p ${shellWord(folder)}`,
      });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new AixclError('refused', `nothing can be written into ${folder}: ${(error as Error).message}`, {
        hint: `ls -ld ${shellWord(folder)}`,
        cause: error,
      });
    default:
      return error;
  }
}
