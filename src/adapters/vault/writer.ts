import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AixclError } from '../../errors.ts';
import { type Digest, digestOf } from '../../vault/digest.ts';
import type { Evidence } from '../../vault/evidence.ts';
import type { Snapshot, SnapshotDraft } from '../../vault/snapshot.ts';
import type { SourceFile } from '../../vault/subject.ts';
import type {
  Collected,
  Marks,
  SnapshotRecord,
  TakeInOptions,
  TakenFile,
  Vault,
  VaultWriter,
  WorkOptions,
} from '../../vault/vault.ts';
import { collect, removeSnapshots } from './collect.ts';
import type { Desk } from './desk.ts';
import { onVault } from './disk-errors.ts';
import { sameContent, unchanged } from './file-identity.ts';
import { openRegular, tryTwice } from './hashing.ts';
import { assertReadable, type Entry, readIndex, writeIndex } from './index-file.ts';
import { backups, claimNumber, numberOf, spelled, versionsOf } from './numbers.ts';
import { keepDamaged, setAside } from './quarantine.ts';
import {
  assertPaths,
  type BlobReference,
  parseRecord,
  writeDescriptor,
  writeManifest,
  writeMarks,
  writeMetadata,
} from './records.ts';
import { blobIdentity, rehash, remember } from './shelf.ts';
import { takeIn } from './take-in.ts';

/** The one writer of a vault, over the parts that know how. Changes of the index wait for each other. */
export class Writer implements VaultWriter {
  readonly vault: Vault;
  readonly #desk: Desk;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(vault: Vault, desk: Desk) {
    this.vault = vault;
    this.#desk = desk;
  }

  takeIn(file: SourceFile, options: TakeInOptions): Promise<Evidence> {
    return this.#held(() => tryTwice(file.path, () => takeIn(this.#desk, file, options)));
  }

  publish(draft: SnapshotDraft, files: readonly TakenFile[], marks: Marks = {}): Promise<Snapshot> {
    return this.#inTurn(() => this.#publish(draft, files, marks));
  }

  adopt(record: SnapshotRecord, files: readonly TakenFile[], number?: number): Promise<Snapshot> {
    return this.#inTurn(() => this.#adopt(record, files, number));
  }

  rehash(digest: Digest, size: number, options: WorkOptions): Promise<Evidence> {
    return this.#held(() => this.#desk.alone(digest, () => rehash(this.#desk, digest, size, options)));
  }

  note(id: string, change: Marks): Promise<void> {
    return this.#inTurn(async () => {
      await this.#desk.names.sync();
      const { entries } = await this.#index();
      const changed = entries.map((entry) => (idOf(entry) === id ? withMarks(entry, change) : entry));
      if (!entries.some((entry) => idOf(entry) === id)) {
        throw new AixclError('notFound', `the vault has no ${id}`, { hint: 'aixcl backups list' });
      }
      await writeIndex(this.#desk.layout, changed, this.#desk.owner);
    });
  }

  remove(ids: readonly string[], now: Date): Promise<{ readonly freed: number }> {
    return this.#inTurn(() => removeSnapshots(this.#desk, ids, now));
  }

  collect(options: {
    readonly now: Date;
    readonly graceSeconds: number;
    readonly dryRun: boolean;
  }): Promise<Collected> {
    return this.#inTurn(() => collect(this.#desk, options));
  }

  setAside(digest: Digest): Promise<void> {
    return this.#held(async () => {
      await setAside(this.#desk, digest, 'a verification found it damaged');
    });
  }

  quarantine(file: SourceFile, options: { readonly move: boolean; readonly why: string }): Promise<string> {
    return this.#held(() => keepDamaged(this.#desk, file, options));
  }

  async assertUnchanged(evidence: readonly Evidence[]): Promise<void> {
    return this.#held(async () => {
      await this.#desk.names.sync();
      for (const { digest, how, blob } of evidence) {
        const there = await blobIdentity(this.#desk, digest);
        // A file that the vault took over loses its other name on the way, which changes its ctime.
        const same = how === 'same-inode' ? sameContent : unchanged;
        if (there && same(there, blob)) continue;
        throw new AixclError(
          'verification',
          `the blob ${digest} of the vault is not the file any more that was found right`,
          { hint: 'Run the command again.' },
        );
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { layout, operation, lock } = this.#desk;
    await this.#turn;
    try {
      await this.#desk.names.sync();
      await this.#renewReceipts();
      await rm(join(layout.ingest, operation), { recursive: true, force: true });
    } catch {
      // What was to be done is done. A receipt that lacks costs a hash; what lies in ingest/ is cleared by the next command.
    } finally {
      await lock[Symbol.asyncDispose]();
    }
  }

  async #publish(draft: SnapshotDraft, files: readonly TakenFile[], marks: Marks): Promise<Snapshot> {
    assertPaths(files, draft.folders);
    const taken = files.map(({ path, evidence: { digest, size }, executable }) => ({
      path,
      digest,
      size,
      ...(executable ? { executable } : {}),
    }));
    const metadata = writeMetadata(draft);
    const manifest = writeManifest(referenceOf(metadata), taken);
    return this.#enter({ ...draft, files: taken, metadata, manifest }, files, {
      ...unmarked(files),
      ...marks,
    });
  }

  async #adopt(record: SnapshotRecord, files: readonly TakenFile[], wish?: number): Promise<Snapshot> {
    const read = parseRecord(record);
    if (typeof read === 'string') throw new AixclError('verification', `a record can't be used: ${read}`);
    const { snapshots } = await this.vault.contents();
    const here = snapshots.find((snapshot) => snapshot.digest === read.digest);
    if (here) return here;
    for (const { path, digest, size } of read.files) {
      const taken = files.find((file) => file.path === path)?.evidence;
      if (taken?.digest !== digest || taken.size !== size) {
        throw new AixclError('verification', `${path} of ${read.subject.name} was not taken in`);
      }
    }
    return this.#enter({ ...read, ...record }, files, unmarked(files), wish);
  }

  /** Writes what is new, blobs first, and the index last. */
  async #enter(
    record: SnapshotDraft & Pick<Snapshot, 'files'> & SnapshotRecord,
    files: readonly TakenFile[],
    marks: Required<Marks>,
    wish?: number,
  ): Promise<Snapshot> {
    const { layout, owner, operation } = this.#desk;
    await this.assertUnchanged(files.map(({ evidence }) => evidence));
    const { entries } = await this.#index();
    await this.#keepRecord(record.metadata, 'metadata.json');
    const { digest, size } = await this.#keepRecord(record.manifest, 'manifest');
    await this.#desk.names.sync();
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

  async #keepRecord(content: Uint8Array, path: string): Promise<BlobReference> {
    const reference = referenceOf(content);
    const file = { path, ...reference, proven: true, bytes: { kind: 'memory' as const, content } };
    await this.takeIn(file, { way: 'copy', recheck: true, signal: new AbortController().signal });
    return reference;
  }

  /** Those taken over lost their other name, by which their receipts are no longer theirs. */
  async #renewReceipts(): Promise<void> {
    for (const { digest, how, hashed, blob, hashedAt } of this.#desk.found.values()) {
      if (how !== 'same-inode' || !hashed) continue;
      const there = await blobIdentity(this.#desk, digest);
      if (!there || !sameContent(there, blob) || unchanged(there, blob)) continue;
      await using handle = await openRegular(this.#desk.layout.blob(digest));
      await remember(this.#desk, handle, digest, there, hashedAt);
    }
  }

  async #index(): Promise<{ readonly entries: readonly Entry[] }> {
    const index = await readIndex(this.#desk.layout);
    assertReadable(index, this.#desk.layout);
    return index;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(() => this.#held(work));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** Does `work` while the lock is held, and tells what the vault's disk refuses. */
  #held<T>(work: () => Promise<T>): Promise<T> {
    return onVault(this.vault.path, async () => {
      if (await this.#desk.lock.isHeld()) return work();
      throw new AixclError('verification', `the lock of the vault ${this.vault.path} is not held any more`);
    });
  }
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
