import { createHash } from 'node:crypto';
import { AixclError } from '../../errors.ts';
import { type Digest, digestOf } from '../../vault/digest.ts';
import type { Snapshot, SnapshotDraft } from '../../vault/snapshot.ts';
import type { Marks, SnapshotRecord, TakenFile } from '../../vault/vault.ts';
import type { Desk } from './desk.ts';
import { assertReadable, type Entry, lookUpAll, readIndex, writeIndex } from './index-file.ts';
import { backups, claimantOf, claimNumber, numberOf, type Series, spelled, versionsOf } from './numbers.ts';
import {
  assertPaths,
  type BlobReference,
  parseRecord,
  writeDescriptor,
  writeManifest,
  writeMarks,
  writeMetadata,
} from './records.ts';
import { isFull } from './reserve.ts';
import { assertBlobsUnchanged } from './shelf.ts';
import { takeIn } from './take-in.ts';

/** Snapshots of what was taken in: one caller at a time, as all of it ends in one file. */

/** As `VaultWriter.publish` says. */
export async function publish(
  desk: Desk,
  draft: SnapshotDraft,
  files: readonly TakenFile[],
  marks: Marks,
): Promise<Snapshot> {
  assertPaths(files, draft.folders);
  const taken = files.map(({ path, evidence: { digest, size }, executable }) => ({
    path,
    digest,
    size,
    ...(executable ? { executable } : {}),
  }));
  await assertTaken(desk, files);
  // A version says in its metadata which one it is.
  const entries = draft.kind === 'version' ? await entriesOf(desk) : [];
  const number = draft.kind === 'version' ? await numberFor(desk, draft, entries) : undefined;
  const metadata = writeMetadata(draft, number === undefined ? undefined : idOf(draft, number));
  const manifest = writeManifest(referenceOf(metadata), taken);
  const all = { ...unmarked(files), ...marks };
  return enter(desk, { ...draft, files: taken, metadata, manifest }, { marks: all, number });
}

/** As `VaultWriter.adopt` says. */
export async function adopt(
  desk: Desk,
  record: SnapshotRecord,
  files: readonly TakenFile[],
  wish?: number,
): Promise<Snapshot> {
  const read = parseRecord(record);
  if (typeof read === 'string') throw new AixclError('verification', `a record can't be used: ${read}`);
  const entries = await entriesOf(desk);
  const here = await withDigest(desk, entries, read.digest);
  if (here) return here;
  for (const { path, digest, size } of read.files) {
    const taken = files.find((file) => file.path === path)?.evidence;
    if (taken?.digest !== digest || taken.size !== size) {
      throw new AixclError('verification', `${path} of ${read.subject.name} was not taken in`);
    }
  }
  await assertTaken(desk, files);
  const number = read.kind === 'version' ? await numberFor(desk, read, entries, wish) : undefined;
  return enter(desk, { ...read, ...record }, { marks: unmarked(files), number, wish });
}

/** A draft with its files, and what it is written as. */
export type WrittenRecord = SnapshotDraft & Pick<Snapshot, 'files'> & SnapshotRecord;

export interface Entering {
  readonly marks: Required<Marks>;
  /** Claimed already. Absent: the next one, or `wish`. */
  readonly number?: number | undefined;
  readonly wish?: number | undefined;
  /** Goes from the index in the same change: the id of a snapshot. */
  readonly inPlaceOf?: string;
}

/** Writes what is new, blobs first, and the index last. */
export async function enter(
  desk: Desk,
  record: WrittenRecord,
  { marks, number: claimed, wish, inPlaceOf }: Entering,
): Promise<Snapshot> {
  const { layout, owner } = desk;
  const entries = await entriesOf(desk);
  await keepRecord(desk, record.metadata, 'metadata.json');
  const { digest, size } = await keepRecord(desk, record.manifest, 'manifest');
  await desk.names.sync();
  const { kind, backupType, subject, created, reason, folders, facts } = record;
  const number = claimed ?? (await numberFor(desk, record, entries, wish));
  const series = seriesOf(record);
  const text = spelled(series, number);
  const snapshot: Snapshot = {
    id: idOf(record, number),
    digest,
    kind,
    backupType,
    number,
    subject,
    created,
    reason,
    operation: record.operation,
    files: record.files,
    folders,
    facts,
    size: record.files.reduce((sum, file) => sum + file.size, 0),
    ...marks,
  };
  const tag = kind === 'backup' ? text : `${series.folder.split('/').at(-1)?.slice(0, 16)}-${text}`;
  const staying = entries.filter((entry) => inPlaceOf === undefined || idIn(entry) !== inPlaceOf);
  await writeIndex(layout, [...staying, writeDescriptor(snapshot, size, tag) as Entry], owner);
  return snapshot;
}

async function assertTaken(desk: Desk, files: readonly TakenFile[]): Promise<void> {
  await assertBlobsUnchanged(
    desk,
    files.map(({ evidence }) => evidence),
  );
}

/** The snapshot of the index with this manifest. */
export async function withDigest(
  desk: Desk,
  entries: readonly Entry[],
  digest: Digest,
): Promise<Snapshot | undefined> {
  const all = await lookUpAll(entries, desk.layout);
  return all
    .flatMap((each) => ('snapshot' in each ? [each.snapshot] : []))
    .find((each) => each.digest === digest);
}

type Numbered = Pick<SnapshotDraft, 'kind' | 'subject' | 'operation'>;

/**
 * Claims one. A version's claim names the operation that made it, wherever that was: so a version that comes back gets its number, which nobody
 * else ever had.
 */
async function numberFor(
  desk: Desk,
  record: Numbered,
  entries: readonly Entry[],
  wish?: number,
): Promise<number> {
  const operation = record.kind === 'version' ? record.operation : desk.operation;
  const taken = new Set(entries.map((entry) => numberIn(entry, record)));
  if (record.kind === 'version' && wish !== undefined && !taken.has(wish)) {
    const claimant = await claimantOf(desk.layout.numbers, seriesOf(record), wish);
    // An empty claim was cut short before it said whose it is.
    if (claimant === operation || claimant === '') return wish;
  }
  return claimNumber(desk.layout.numbers, seriesOf(record), { taken, wish, operation, owner: desk.owner });
}

function seriesOf({ kind, subject }: Pick<SnapshotDraft, 'kind' | 'subject'>): Series {
  return kind === 'backup' ? backups : versionsOf(subject);
}

function idOf(record: Pick<SnapshotDraft, 'kind' | 'subject'>, number: number): string {
  const text = spelled(seriesOf(record), number);
  return record.kind === 'backup' ? text : `${record.subject.name}@${text}`;
}

async function keepRecord(desk: Desk, content: Uint8Array, path: string): Promise<BlobReference> {
  const reference = referenceOf(content);
  const file = { path, ...reference, proven: true, bytes: { kind: 'memory' as const, content } };
  await takeIn(desk, file, { way: 'copy', recheck: true, signal: new AbortController().signal });
  return reference;
}

/** As `VaultWriter.note` says. */
export async function note(desk: Desk, id: string, change: Marks): Promise<void> {
  await desk.names.sync();
  const entries = await entriesOf(desk);
  if (!entries.some((entry) => idIn(entry) === id)) {
    throw new AixclError('notFound', `the vault has no ${id}`, { hint: 'aixcl backups list' });
  }
  const changed = entries.map((entry) => (idIn(entry) === id ? withMarks(entry, change) : entry));
  await writeIndex(desk.layout, changed, desk.owner).catch((error: unknown) => {
    if (!isFull(error)) throw error;
  });
}

export async function entriesOf({ layout }: Desk): Promise<readonly Entry[]> {
  const index = await readIndex(layout);
  assertReadable(index, layout);
  return index.entries;
}

export function idIn(entry: Entry): unknown {
  return annotationsOf(entry)['io.aixcl.id'];
}

function annotationsOf(entry: Entry): Readonly<Record<string, unknown>> {
  return (entry.annotations ?? {}) as Record<string, unknown>;
}

function withMarks(entry: Entry, change: Marks): Entry {
  const annotations = { ...annotationsOf(entry), ...writeMarks(change) };
  return {
    ...entry,
    annotations: Object.fromEntries(Object.entries(annotations).filter(([, value]) => value !== undefined)),
  };
}

/** Number of an entry, if it is of the series that a snapshot of `draft` belongs to; else 0. */
function numberIn(entry: Entry, { kind, subject }: Pick<SnapshotDraft, 'kind' | 'subject'>): number {
  const id = idIn(entry);
  if (typeof id !== 'string') return 0;
  if (kind === 'version' && id.slice(0, id.lastIndexOf('@')) !== subject.name) return 0;
  return numberOf(id, kind) ?? 0;
}

export function referenceOf(content: Uint8Array): BlobReference {
  const digest = digestOf(createHash('sha256').update(content).digest('hex'));
  return { digest, size: content.length };
}

function unmarked(files: readonly TakenFile[]): Required<Marks> {
  return { verified: hashedAt(files), damage: null, undone: null, places: [] };
}

/** Since when every file has been known to be right: the oldest of their hashes. Null when one was never hashed. */
function hashedAt(files: readonly TakenFile[]): Date | null {
  if (files.some(({ evidence }) => !evidence.hashed)) return null;
  const now = Date.now();
  return new Date(Math.min(now, ...files.map(({ evidence }) => evidence.hashedAt?.getTime() ?? now)));
}
