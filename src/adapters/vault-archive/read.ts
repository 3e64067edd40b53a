import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { AixclError, systemCode } from '../../errors.ts';
import { shellWord } from '../../shell-word.ts';
import type { Digest } from '../../vault/digest.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { SnapshotRecord } from '../../vault/vault.ts';
import {
  filesOf,
  isPlainPath,
  type Manifest,
  readDescriptor,
  readManifest,
  readMetadata,
} from '../vault/records.ts';
import {
  bad,
  blobEntry,
  chunksOf,
  type Place,
  type ScannedArchive,
  type ScanOptions,
  scanArchive,
} from './scan.ts';

/** One snapshot of an archive, all of whose bytes were hashed. */
export interface ArchivedSnapshot
  extends Pick<Snapshot, 'digest' | 'kind' | 'subject' | 'created' | 'facts' | 'files' | 'size'> {
  /** The id that it had in the vault that it comes from. */
  readonly id: string;
  readonly record: SnapshotRecord;
}

/** An archive that was read to its end and found whole. Its file is held open. */
export interface Archive extends AsyncDisposable {
  readonly snapshots: readonly ArchivedSnapshot[];
  openBlob(digest: Digest): Readable;
}

const largestLayout = 4096;
const largestRecord = 64 * 1024 * 1024;

/**
 * Reads and hashes all of an archive that `vault export` made, or another program that writes OCI layouts as tar files. Throws `verification`
 * naming the entry for whatever is wrong with it, so that nothing need be written to find out.
 */
export async function openArchive(file: string, options: ScanOptions): Promise<Archive> {
  const handle = await openFile(file);
  try {
    const scanned = await scanArchive(handle, file, options);
    return {
      snapshots: await snapshotsOf(handle, file, scanned),
      openBlob(digest) {
        const place = scanned.blobs.get(digest);
        if (!place) throw bad(file, `${blobEntry(digest)} is missing`);
        return Readable.from(chunksOf(handle, place), { objectMode: false });
      },
      [Symbol.asyncDispose]: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openFile(file: string): Promise<FileHandle> {
  try {
    // Without O_NONBLOCK a pipe would be waited for.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new AixclError('notFound', `there is no file ${file}`);
    if (code === 'EACCES' || code === 'EPERM')
      throw new AixclError('refused', `${file} can't be read by this user`, {
        hint: `ls -l ${shellWord(file)}`,
      });
    throw error;
  }
  throw new AixclError('usage', `${file} is no file`, { hint: 'aixcl vault import FILE' });
}

async function snapshotsOf(
  handle: FileHandle,
  file: string,
  { documents, blobs }: ScannedArchive,
): Promise<ArchivedSnapshot[]> {
  const layout = await json('oci-layout', documents.get('oci-layout'), largestLayout);
  if ((layout as { imageLayoutVersion?: unknown } | null)?.imageLayoutVersion !== '1.0.0')
    throw bad(file, 'oci-layout names no version that aixcl knows');
  const index = await json('index.json', documents.get('index.json'), largestRecord);
  const manifests = (index as { manifests?: unknown } | null)?.manifests;
  if (!Array.isArray(manifests) || manifests.length === 0) throw bad(file, 'index.json names no snapshot');
  const snapshots: ArchivedSnapshot[] = [];
  for (const entry of manifests) snapshots.push(await snapshotOf(entry));
  return snapshots;

  async function snapshotOf(entry: unknown): Promise<ArchivedSnapshot> {
    const descriptor = readDescriptor(entry);
    if (typeof descriptor === 'string')
      throw bad(file, `index.json names what is no snapshot (${descriptor})`);
    const { digest } = descriptor;
    const id = descriptor.annotations['io.aixcl.id'];
    const manifestBytes = await blob(digest, descriptor.size, id);
    const manifest = readManifest(manifestBytes.toString('utf8'));
    if (typeof manifest === 'string')
      throw bad(file, `${blobEntry(digest)} is no manifest of a snapshot: ${manifest}`);
    const { config } = manifest;
    const metadataBytes = await blob(config.digest, config.size, id);
    const metadata = readMetadata(metadataBytes.toString('utf8'));
    if (typeof metadata === 'string')
      throw bad(file, `${blobEntry(config.digest)} is no metadata of a snapshot: ${metadata}`);
    const files = checkedFiles(manifest, metadata.folders, id);
    return {
      id,
      digest,
      kind: metadata.kind,
      subject: metadata.subject,
      facts: metadata.facts,
      created: metadata.created,
      files,
      size: files.reduce((sum, { size }) => sum + size, 0),
      record: { manifest: manifestBytes, metadata: metadataBytes },
    };
  }

  function checkedFiles(manifest: Manifest, folders: readonly string[], id: string): Snapshot['files'] {
    const files = filesOf(manifest);
    const paths = [...files.map(({ path }) => path), ...folders];
    const clash = clashIn(paths);
    if (clash !== undefined)
      throw bad(file, `${id} names ${JSON.stringify(clash)} twice, or as a folder and a file`);
    for (const { path, digest, size } of files) {
      const place = blobs.get(digest);
      if (!place) throw bad(file, `${blobEntry(digest)}, ${JSON.stringify(path)} of ${id}, is missing`);
      if (place.size !== size)
        throw bad(
          file,
          `${blobEntry(digest)}, ${JSON.stringify(path)} of ${id}, has ${place.size} bytes in place of ${size}`,
        );
    }
    return files;
  }

  async function blob(digest: Digest, size: number, id: string): Promise<Buffer> {
    const place = blobs.get(digest);
    if (!place) throw bad(file, `${blobEntry(digest)} of ${id} is missing`);
    if (place.size !== size)
      throw bad(file, `${blobEntry(digest)} has ${place.size} bytes in place of ${size}`);
    return read(blobEntry(digest), place, largestRecord);
  }

  async function json(name: string, place: Place | undefined, largest: number): Promise<unknown> {
    if (!place) throw bad(file, `${name} is missing`);
    try {
      return JSON.parse((await read(name, place, largest)).toString('utf8'));
    } catch (error) {
      if (error instanceof SyntaxError) throw bad(file, `${name} is not whole JSON`);
      throw error;
    }
  }

  async function read(name: string, { offset, size }: Place, largest: number): Promise<Buffer> {
    if (size > largest) throw bad(file, `${name} has ${size} bytes, more than a record can have`);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size), 0, size, offset);
    if (bytesRead < size) throw bad(file, `${name} is cut off`);
    return buffer;
  }
}

/** A path that is there twice, or that another goes through as a folder. */
function clashIn(paths: readonly string[]): string | undefined {
  const all = new Set<string>();
  for (const path of paths) {
    if (!isPlainPath(path) || all.has(path)) return path;
    all.add(path);
  }
  return paths.find((path) => {
    const parts = path.split('/');
    return parts.slice(1).some((_, index) => all.has(parts.slice(0, index + 1).join('/')));
  });
}
