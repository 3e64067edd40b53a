import type { Readable } from 'node:stream';
import type { Digest } from './digest.ts';
import type { Evidence } from './evidence.ts';
import type { BrokenRecord, Snapshot, SnapshotDraft } from './snapshot.ts';
import type { SourceFile } from './subject.ts';

/** The port to a vault: an OCI image layout (docs/vault.md). Reading takes no lock, since what is published never changes. */
export interface Vault {
  readonly path: string;
  /** All snapshots, newest first. A vault that is not there yet has none. */
  contents(): Promise<VaultContents>;
  /** Blobs by digest, with what the disk says of them. */
  blobs(): Promise<ReadonlyMap<Digest, BlobState>>;
  /** Reads a blob; throws `verification` when it is not there or has another size. Its bytes are not checked: whoever reads hashes. */
  openBlob(digest: Digest, size: number): Promise<Readable>;
  /** Path of a blob, for one who copies or reflinks it and hashes what landed. */
  blobPath(digest: Digest): string;
  /** A snapshot's manifest and metadata, hashed as they are read; throws `verification`. For export and sync. */
  record(snapshot: Snapshot): Promise<SnapshotRecord>;
  /** Bytes of its disk, for this user. */
  space(): Promise<{ readonly free: number; readonly total: number }>;
  /** True when a file at `path` can be hard-linked into the vault: same mount. */
  sharesDisk(path: string): Promise<boolean>;
  /** Takes the lock, makes what is missing, clears what killed commands left. Throws `busy` with who has it, or `noSpace`, `refused`. */
  open(wish: WriterWish): Promise<VaultWriter>;
}

/** What a snapshot is beside its files, byte for byte. */
export interface SnapshotRecord {
  readonly manifest: Uint8Array;
  readonly metadata: Uint8Array;
}

export interface VaultContents {
  readonly snapshots: readonly Snapshot[];
  readonly broken: readonly BrokenRecord[];
}

export interface BlobState {
  readonly size: number;
  readonly modified: Date;
  /** True when the file has another name outside the vault: then it is one copy, not two. */
  readonly shared: boolean;
  /** Bytes that it takes on the disk. */
  readonly stored: number;
}

export interface WriterWish {
  /** What others are told: `aixcl models remove`. */
  readonly holder: string;
  /** Of the journal; names the folder under `ingest/`. */
  readonly operation: string;
  /** Seconds to wait for another's lock. */
  readonly patience: number;
  readonly signal: AbortSignal;
  /** Called before what a killed operation was writing is cleared away. */
  clearing?(operation: string): Promise<void>;
}

/** The one writer. Disposing it lets the lock go; so does the process's end, however it comes. */
export interface VaultWriter extends AsyncDisposable {
  readonly vault: Vault;
  /**
   * Brings one file in. `link`: the live name is about to go, so the vault may take over its inode where the disk allows; else, and with
   * `copy`, bytes of the vault's own: a reflink, or a copy that is synced and hashed after it landed. A blob that is there already is
   * re-hashed (`recheck`, and always for `link` unless the live inode is taken over), or trusted by its unchanged identity; a damaged one is
   * set aside and taken in anew. Never throws bytes away. Throws `verification` when bytes and digest differ, `noSpace`, `notFound`.
   */
  takeIn(file: SourceFile, options: TakeInOptions): Promise<Evidence>;
  /**
   * Writes metadata, manifest and index, in this order, with a number never used before. `verified` is set when every file was hashed, unless
   * `marks` say otherwise. Throws `verification` when a blob is not what the evidence speaks of.
   */
  publish(draft: SnapshotDraft, files: readonly TakenFile[], marks?: Marks): Promise<Snapshot>;
  /**
   * Publishes a snapshot of another vault, its record byte for byte, so that its digest stays. Its number is `number` where that was never
   * used here, else (and without) the next. One with this digest that is here already is answered as it is.
   */
  adopt(record: SnapshotRecord, files: readonly TakenFile[], number?: number): Promise<Snapshot>;
  /**
   * Makes the version `id` a `deleted_version` backup: one change of the index, and no byte of the model moves. What the index says of its
   * bytes goes over. Throws `notFound`.
   */
  retire(id: string, wish: Pick<SnapshotDraft, 'created' | 'reason' | 'operation'>): Promise<Snapshot>;
  /**
   * Makes a version again of the `deleted_version` backup `id`, which stays: its record byte for byte, under its own number unless that is
   * another's by now, then under the next. One that is there already is answered as it is. Throws `notFound`, `verification`.
   */
  reinstate(id: string): Promise<Snapshot>;
  /** Re-hashes a blob of the vault. Throws `verification` when it is missing or wrong. */
  rehash(digest: Digest, size: number, options: WorkOptions): Promise<Evidence>;
  /** Changes what the index says of a snapshot. A full disk loses the change, and no more: what it says can be found out again. */
  note(id: string, change: Marks): Promise<void>;
  /**
   * Takes snapshots out of the index, then the blobs that were theirs alone. Refuses (`refused`) while a record is broken or in the future.
   * Answers the bytes that came free.
   */
  remove(ids: readonly string[], now: Date): Promise<{ readonly freed: number }>;
  /** Mark and sweep: blobs that no snapshot names and that are older than the grace period. Refuses as `remove` does, or while a blob misses. */
  collect(options: {
    readonly now: Date;
    readonly graceSeconds: number;
    readonly dryRun: boolean;
  }): Promise<Collected>;
  /** Moves a damaged blob of the vault into `quarantine/`. */
  setAside(digest: Digest): Promise<void>;
  /** Keeps damaged bytes from elsewhere in `quarantine/`; answers where they lie. `move`: their old name goes, once they are kept. */
  quarantine(file: SourceFile, options: { readonly move: boolean; readonly why: string }): Promise<string>;
  /** Throws `verification` unless the lock is held and every blob still is the file that the evidence speaks of. */
  assertUnchanged(evidence: readonly Evidence[]): Promise<void>;
}

/** What the index says of a snapshot; the snapshot itself never changes. */
export type Marks = Partial<Pick<Snapshot, 'verified' | 'damage' | 'undone' | 'places'>>;

export interface WorkOptions {
  readonly signal: AbortSignal;
  /** Bytes done of this piece of work, from 0. */
  readonly onProgress?: (done: number) => void;
}

export interface TakeInOptions extends WorkOptions {
  readonly way: 'link' | 'copy';
  /** Re-hash the vault's blob even when its identity is unchanged since it was last hashed. */
  readonly recheck: boolean;
  /** A file that is linked in and not proven may be held unhashed, after cheap checks. Absent: it is hashed. */
  readonly unhashed?: boolean;
}

export interface TakenFile {
  readonly path: string;
  readonly evidence: Evidence;
  readonly executable?: boolean;
}

export interface Collected {
  readonly blobs: readonly { readonly digest: Digest; readonly size: number }[];
  readonly bytes: number;
  /** Left alone because they are younger than the grace period. */
  readonly young: number;
}
