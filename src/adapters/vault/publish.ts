import { createHash } from 'node:crypto';
import { AixclError } from '../../errors.ts';
import { digestOf } from '../../vault/digest.ts';
import type { Snapshot, SnapshotDraft } from '../../vault/snapshot.ts';
import type { Marks, SnapshotRecord, TakenFile } from '../../vault/vault.ts';
import type { Desk } from './desk.ts';
import { assertReadable, type Entry, lookUpAll, readIndex, writeIndex } from './index-file.ts';
import { backups, claimNumber, numberOf, spelled, versionsOf } from './numbers.ts';
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
  const metadata = writeMetadata(draft);
  const manifest = writeManifest(referenceOf(metadata), taken);
  return enter(desk, { ...draft, files: taken, metadata, manifest }, files, {
    ...unmarked(files),
    ...marks,
  });
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
  const all = await lookUpAll(await entriesOf(desk), desk.layout);
  const here = all.find((each) => 'snapshot' in each && each.snapshot.digest === read.digest);
  if (here && 'snapshot' in here) return here.snapshot;
  for (const { path, digest, size } of read.files) {
    const taken = files.find((file) => file.path === path)?.evidence;
    if (taken?.digest !== digest || taken.size !== size) {
      throw new AixclError('verification', `${path} of ${read.subject.name} was not taken in`);
    }
  }
  return enter(desk, { ...read, ...record }, files, unmarked(files), wish);
}

/** Writes what is new, blobs first, and the index last. */
async function enter(
  desk: Desk,
  record: SnapshotDraft & Pick<Snapshot, 'files'> & SnapshotRecord,
  files: readonly TakenFile[],
  marks: Required<Marks>,
  wish?: number,
): Promise<Snapshot> {
  const { layout, owner, operation } = desk;
  await assertBlobsUnchanged(
    desk,
    files.map(({ evidence }) => evidence),
  );
  const entries = await entriesOf(desk);
  await keepRecord(desk, record.metadata, 'metadata.json');
  const { digest, size } = await keepRecord(desk, record.manifest, 'manifest');
  await desk.names.sync();
  const { kind, backupType, subject, created, reason, folders, facts } = record;
  const series = kind === 'backup' ? backups : versionsOf(subject);
  const taken = new Set(entries.map((entry) => numberIn(entry, record)));
  const number = await claimNumber(layout.numbers, series, { taken, wish, operation, owner });
  const text = spelled(series, number);
  const snapshot: Snapshot = {
    id: kind === 'backup' ? text : `${subject.name}@${text}`,
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
  await writeIndex(layout, [...entries, writeDescriptor(snapshot, size, tag) as Entry], owner);
  return snapshot;
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
  if (!entries.some((entry) => idOf(entry) === id)) {
    throw new AixclError('notFound', `the vault has no ${id}`, { hint: 'aixcl backups list' });
  }
  const changed = entries.map((entry) => (idOf(entry) === id ? withMarks(entry, change) : entry));
  await writeIndex(desk.layout, changed, desk.owner).catch((error: unknown) => {
    if (!isFull(error)) throw error;
  });
}

async function entriesOf({ layout }: Desk): Promise<readonly Entry[]> {
  const index = await readIndex(layout);
  assertReadable(index, layout);
  return index.entries;
}

function idOf(entry: Entry): unknown {
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
  const id = idOf(entry);
  if (typeof id !== 'string') return 0;
  if (kind === 'version' && id.slice(0, id.lastIndexOf('@')) !== subject.name) return 0;
  return numberOf(id, kind) ?? 0;
}

function referenceOf(content: Uint8Array): BlobReference {
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
