import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { type FileHandle, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode } from '../../errors.ts';
import type { FileRecord } from '../../models/model.ts';
import { makeDirectory, type Ownership, replaceFile } from '../durable.ts';
import { openInside } from './open-inside.ts';

/**
 * `.aixcl/digests/…`: one JSON object for each file of a model. It counts only while inode, size, mtime and ctime are those it was written
 * for; the ctime can't be set by hand, so bytes that were changed under an old mtime are noticed.
 */
interface StoredRecord extends FileRecord {
  /** For people; relative to the models directory. */
  readonly path: string;
  readonly inode: string;
  readonly size: string;
  /** Nanoseconds. */
  readonly mtime: string;
  readonly ctime: string;
}

export async function readRecord(directory: string, path: string): Promise<FileRecord | undefined> {
  const stored = await load(recordPath(directory, path));
  if (!stored) return undefined;
  await using handle = await openInside(directory, path);
  const now = identity(await handle.stat({ bigint: true }));
  for (const [key, value] of Object.entries(now)) {
    if (stored[key as keyof typeof now] !== value) return undefined;
  }
  return { sha256: stored.sha256, source: stored.source, version: stored.version ?? null };
}

/**
 * What was recorded of the file at `path` last, though it may have been written to since: what its bytes should be, not what they are. `inode`:
 * of the file that stands there now; one that took its place since is another file, of which nothing is known. Without: whatever it was.
 */
export async function lastRecord(
  directory: string,
  path: string,
  inode?: string,
): Promise<FileRecord | undefined> {
  const stored = await load(recordPath(directory, path));
  if (!stored || (inode !== undefined && stored.inode !== inode)) return undefined;
  return { sha256: stored.sha256, source: stored.source, version: stored.version ?? null };
}

/**
 * Call when the file has its final name: giving it one changes the ctime. `seen` false: its bytes are known to be others than it says, and are
 * never taken for those.
 */
export async function writeRecord(
  directory: string,
  path: string,
  record: FileRecord,
  owner: Ownership | undefined,
  { seen }: { readonly seen: boolean } = { seen: true },
): Promise<void> {
  await using handle = await openInside(directory, path);
  const now = identity(await handle.stat({ bigint: true }));
  const stored: StoredRecord = { path, ...record, ...now, ...(!seen && { ctime: '0' }) };
  const target = recordPath(directory, path);
  await makeDirectory(dirname(target), owner);
  await replaceFile(target, `${JSON.stringify(stored)}\n`, owner);
}

function identity(stats: BigIntStats): Omit<StoredRecord, keyof FileRecord | 'path'> {
  return {
    inode: String(stats.ino),
    size: String(stats.size),
    mtime: String(stats.mtimeNs),
    ctime: String(stats.ctimeNs),
  };
}

/** Named by the hash of the path, as a folder's file has no name that would always fit into one component. */
export function recordPath(directory: string, path: string): string {
  return join(directory, '.aixcl', 'digests', createHash('sha256').update(path).digest('hex'));
}

async function load(path: string): Promise<StoredRecord | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return isStored(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function isStored(value: unknown): value is StoredRecord {
  return (
    typeof value === 'object' &&
    value !== null &&
    'sha256' in value &&
    typeof value.sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(value.sha256) &&
    'source' in value &&
    (value.source === null || typeof value.source === 'string')
  );
}

/** sha256 of an open file's bytes, as 64 hex digits. `onBytes` is told what was read since the last call. */
export async function hashFile(
  handle: FileHandle,
  options: { signal?: AbortSignal; onBytes?: (count: number) => void } = {},
): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(1024 * 1024);
  for (let position = 0; ; ) {
    options.signal?.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
    options.onBytes?.(bytesRead);
  }
}
