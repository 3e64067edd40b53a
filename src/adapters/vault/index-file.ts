import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readdir, readFile } from 'node:fs/promises';
import { AixclError, systemCode } from '../../errors.ts';
import type { Digest } from '../../vault/digest.ts';
import type { BrokenRecord, Snapshot } from '../../vault/snapshot.ts';
import type { SnapshotRecord } from '../../vault/vault.ts';
import { type Ownership, replaceFile } from '../durable.ts';
import type { Layout } from './layout.ts';
import { numberOf } from './numbers.ts';
import {
  type BlobReference,
  type Descriptor,
  filesOf,
  mediaTypes,
  readDescriptor,
  readManifest,
  readMarks,
  readMetadata,
} from './records.ts';
import { withReserve } from './reserve.ts';

/** Records are small; what claims to be larger is none of ours. */
const largestRecord = 64 * 1024 * 1024;

/** One entry of `index.json`, as it stands there. */
export type Entry = Readonly<Record<string, unknown>>;

/** What one entry leads to. */
export type Indexed =
  | {
      readonly entry: Entry;
      readonly snapshot: Snapshot;
      /** Its manifest, its metadata and its files. */
      readonly blobs: readonly BlobReference[];
    }
  | { readonly entry: Entry; readonly broken: BrokenRecord };

export interface Index {
  readonly entries: readonly Entry[];
  /** Why `index.json` itself can't be read. Then nothing may be written, as what it said would be lost. */
  readonly broken: BrokenRecord | undefined;
}

export async function readIndex(layout: Layout): Promise<Index> {
  const text = await readFile(layout.index, 'utf8').catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  });
  if (text === undefined) {
    if (!(await holdsBlobs(layout))) return { entries: [], broken: undefined };
    return { entries: [], broken: { name: 'index.json', why: 'it is missing, though there are blobs' } };
  }
  const manifests = manifestsOf(text);
  if (manifests) return { entries: manifests, broken: undefined };
  return { entries: [], broken: { name: 'index.json', why: 'it is no OCI image index' } };
}

function manifestsOf(text: string): Entry[] | undefined {
  try {
    const { manifests } = JSON.parse(text) as { manifests?: unknown };
    const all = Array.isArray(manifests) ? manifests : undefined;
    return all?.every((each) => typeof each === 'object' && each !== null) ? all : undefined;
  } catch {
    return undefined;
  }
}

async function holdsBlobs({ blobs }: Layout): Promise<boolean> {
  return (await readdir(blobs).catch(() => [])).length > 0;
}

export async function writeIndex(
  layout: Layout,
  entries: readonly Entry[],
  owner: Ownership | undefined,
): Promise<void> {
  const value = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: entries };
  const text = `${JSON.stringify(value, undefined, 2)}\n`;
  await withReserve(layout.root, () => replaceFile(layout.index, text, owner));
}

/** For whoever is about to write: throws `verification` when `index.json` can't be read. */
export function assertReadable({ broken }: Index, layout: Layout): void {
  if (!broken) return;
  throw new AixclError('verification', `${layout.index} can't be used: ${broken.why}`, {
    hint: 'Bring it back from a copy of the vault (docs/recovery.md); the blobs are all there.',
  });
}

/** Reads what an entry leads to; small blobs are hashed on the way. */
export async function lookUp(entry: Entry, layout: Layout): Promise<Indexed> {
  const descriptor = readDescriptor(entry);
  if (typeof descriptor === 'string') {
    return { entry, broken: { name: nameOf(entry), why: `not a snapshot of aixcl (${descriptor})` } };
  }
  const found = await snapshotOf(descriptor, layout);
  return typeof found === 'string'
    ? { entry, broken: { name: descriptor.annotations['io.aixcl.id'], why: found } }
    : { entry, ...found };
}

async function snapshotOf(
  descriptor: Descriptor,
  layout: Layout,
): Promise<{ snapshot: Snapshot; blobs: BlobReference[] } | string> {
  const text = await readRecord(descriptor, layout);
  if (text.problem !== undefined) return `its manifest ${text.problem}`;
  const manifest = readManifest(text.content.toString('utf8'));
  if (typeof manifest === 'string') return `its manifest can't be used: ${manifest}`;
  const config = await readRecord(manifest.config, layout);
  if (config.problem !== undefined) return `its metadata ${config.problem}`;
  const metadata = readMetadata(config.content.toString('utf8'));
  if (typeof metadata === 'string') return `its metadata can't be used: ${metadata}`;
  const id = descriptor.annotations['io.aixcl.id'];
  const number = numberOf(id, metadata.kind);
  if (number === undefined) return `${JSON.stringify(id)} is no id`;
  const files = filesOf(manifest);
  const size = files.reduce((sum, file) => sum + file.size, 0);
  const snapshot = {
    id,
    digest: descriptor.digest,
    number,
    ...metadata,
    files,
    size,
    ...readMarks(descriptor),
  };
  return {
    snapshot,
    blobs: [descriptor, manifest.config, ...files].map(({ digest, size }) => ({ digest, size })),
  };
}

/** Manifest or metadata, hashed as it is read; the problem, when it is not there or not right. */
export async function readRecord(
  { digest, size }: { digest: Digest; size: number },
  layout: Layout,
): Promise<{ content: Buffer; problem?: undefined } | { problem: string }> {
  if (size > largestRecord) return { problem: 'is too large' };
  try {
    await using handle = await open(layout.blob(digest), constants.O_RDONLY | constants.O_NOFOLLOW);
    const content = await handle.readFile();
    if (`sha256:${createHash('sha256').update(content).digest('hex')}` !== digest) {
      return { problem: `${digest} is damaged` };
    }
    return { content };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { problem: `${digest} is missing` };
    if (systemCode(error) === undefined) throw error;
    return { problem: `${digest} can't be read (${systemCode(error)})` };
  }
}

function nameOf(entry: Entry): string {
  const { annotations, digest } = entry as { annotations?: Record<string, unknown>; digest?: unknown };
  return String(annotations?.['org.opencontainers.image.ref.name'] ?? digest ?? 'a record without a digest');
}

/** All entries, looked up side by side; as many at once as leaves file descriptors for others. */
export async function lookUpAll(entries: readonly Entry[], layout: Layout): Promise<Indexed[]> {
  const found: Indexed[] = [];
  for (let from = 0; from < entries.length; from += 64) {
    found.push(...(await Promise.all(entries.slice(from, from + 64).map((entry) => lookUp(entry, layout)))));
  }
  return found;
}

/** Manifest and metadata of a snapshot, byte for byte. Throws `verification` when one is missing or wrong. */
export async function recordOf(digest: Digest, layout: Layout): Promise<SnapshotRecord> {
  const manifest = await readRecord({ digest, size: 0 }, layout);
  if (manifest.problem !== undefined) throw broken(digest, `its manifest ${manifest.problem}`);
  const read = readManifest(manifest.content.toString('utf8'));
  if (typeof read === 'string') throw broken(digest, `its manifest can't be used: ${read}`);
  const metadata = await readRecord(read.config, layout);
  if (metadata.problem !== undefined) throw broken(digest, `its metadata ${metadata.problem}`);
  return { manifest: manifest.content, metadata: metadata.content };
}

function broken(digest: Digest, why: string): AixclError {
  return new AixclError('verification', `the record ${digest} of the vault can't be used: ${why}`, {
    hint: 'aixcl vault verify',
  });
}
