import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { FileHandle } from 'node:fs/promises';
import type { Extract, Header } from 'tar-stream';
import { AixclError, reasonOf } from '../../errors.ts';
import { type Digest, digestOf, hexOf } from '../../vault/digest.ts';
import type { WorkOptions } from '../../vault/vault.ts';

/** Where an entry's bytes lie in the archive file. */
export interface Place {
  readonly offset: number;
  readonly size: number;
}

export interface ScannedArchive {
  /** `oci-layout` and `index.json`, where they are there. */
  readonly documents: ReadonlyMap<string, Place>;
  /** Each hashed, and what its name says. */
  readonly blobs: ReadonlyMap<Digest, Place>;
}

export interface ScanOptions extends WorkOptions {
  /** Called for a blob before it is read; throws when it would find no room. */
  readonly onBlob?: (digest: Digest, size: number) => void;
}

const maximumEntries = 100_000;

/**
 * Reads a whole archive once. Only what an OCI layout has may be in it: plain files and folders under the names that a layout gives them, each
 * once, none larger than the file that holds it, every blob with the bytes that its name says. Throws `verification` naming the entry for
 * anything else, as soon as it comes.
 */
export async function scanArchive(
  handle: FileHandle,
  file: string,
  { signal, onProgress, onBlob }: ScanOptions,
): Promise<ScannedArchive> {
  const { size: whole } = await handle.stat();
  await refuseOtherFormats(handle, file);
  const { extract: extractor } = await import('tar-stream');
  const extract = extractor();
  const stop = new AbortController();
  const fed = feed(extract, handle, whole, AbortSignal.any([signal, stop.signal]));
  const documents = new Map<string, Place>();
  const blobs = new Map<Digest, Place>();
  const seen = new Set<string>();
  try {
    for await (const entry of extract) {
      const { header } = entry;
      const name = plainName(header, file);
      if (name === undefined) {
        entry.resume();
        continue;
      }
      if (seen.has(name)) throw bad(file, `it holds ${name} twice`);
      seen.add(name);
      if (seen.size > maximumEntries) throw bad(file, `it holds more than ${maximumEntries} entries`);
      const place = placeOf(header, whole, file);
      const digest = blobDigest(name);
      if (digest) onBlob?.(digest, place.size);
      const hash = createHash('sha256');
      for await (const chunk of entry as AsyncIterable<Uint8Array>) hash.update(chunk);
      onProgress?.(place.offset + place.size);
      if (!digest) documents.set(name, place);
      else if (digestOf(hash.digest('hex')) === digest) blobs.set(digest, place);
      else throw bad(file, `${name} holds other bytes than its name says`);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AixclError) throw error;
    throw bad(file, reasonOf(error), error);
  } finally {
    stop.abort();
    extract.destroy();
    await fed;
  }
  return { documents, blobs };
}

/** Its own failure ends the reading of `extract`. */
async function feed(extract: Extract, handle: FileHandle, size: number, signal: AbortSignal): Promise<void> {
  try {
    for await (const chunk of chunksOf(handle, { offset: 0, size })) {
      signal.throwIfAborted();
      if (!extract.write(chunk)) await once(extract, 'drain', { signal });
    }
    extract.end(undefined);
  } catch (error) {
    extract.destroy(error as Error);
  }
}

const chunkBytes = 1 << 20;

/** Reads by position, so that the handle serves several readers and outlives each. Throws when the file ends early. */
export async function* chunksOf(handle: FileHandle, { offset, size }: Place): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < size; ) {
    const wanted = Math.min(chunkBytes, size - done);
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(wanted), 0, wanted, offset + done);
    if (bytesRead === 0) throw new Error('it became shorter while it was read');
    done += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

export function bad(file: string, why: string, cause?: unknown): AixclError {
  return new AixclError('verification', `${file} is no whole archive of snapshots: ${why}`, {
    hint: 'Nothing was taken from it. Make it anew: aixcl vault export FILE NAME',
    cause,
  });
}

/** The entry's name as a layout spells it; undefined for its folders. */
function plainName(header: Header, file: string): string | undefined {
  const shown = JSON.stringify(header.name);
  const { type } = header;
  if (type !== 'file' && type !== 'directory') throw bad(file, `its entry ${shown} is a ${type ?? 'thing'}`);
  const sparse = Object.keys(header.pax ?? {}).some((key) => key.startsWith('GNU.sparse'));
  if (sparse) throw bad(file, `its entry ${shown} is sparse`);
  const name = header.name.replace(/^\.\//, '');
  if (type === 'directory') {
    if (/^(|\.|blobs|blobs\/sha256)\/?$/.test(name)) return undefined;
  } else if (name === 'oci-layout' || name === 'index.json' || blobDigest(name)) return name;
  throw bad(file, `its entry ${shown} belongs into no archive of snapshots`);
}

function blobDigest(name: string): Digest | undefined {
  const hex = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(name)?.[1];
  return hex === undefined ? undefined : digestOf(hex);
}

/** Name of a blob's entry. */
export function blobEntry(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

/** A size that the file can't hold is found before anybody waits for its bytes. */
function placeOf(
  { name, size = 0, byteOffset: offset = 0 }: Header & { byteOffset?: number },
  whole: number,
  file: string,
): Place {
  if (offset + size > whole)
    throw bad(
      file,
      `its entry ${name} is cut off: ${offset + size - whole} of its ${size} bytes are missing`,
    );
  return { offset, size };
}

async function refuseOtherFormats(handle: FileHandle, file: string): Promise<void> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
  if (bytesRead === 0) throw bad(file, 'it is empty');
  const compressed = buffer.readUInt16BE() === 0x1f8b || buffer.readUInt32BE() === 0x28b52ffd;
  if (compressed) throw bad(file, 'it is compressed; unpack it first (gunzip, zstd -d)');
}
