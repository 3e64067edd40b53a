import type { Digest } from './digest.ts';
import type { Subject } from './subject.ts';

export const backupTypes = [
  'pre_deletion',
  'pre_update',
  'pre_consolidation',
  'emergency',
  'deleted_version',
] as const;
export type BackupType = (typeof backupTypes)[number];

/**
 * One snapshot: an OCI manifest whose config is `metadata.json` (all but what is marked as the index's) and whose layers are whole files,
 * each with its path as title annotation. Never changed once it is published.
 */
export interface Snapshot {
  /** `b0012` of a backup, `MODEL@v003` of a version. Given by the vault that it lies in: the index's. */
  readonly id: string;
  /** Digest of the manifest. Two snapshots with the same are the same. */
  readonly digest: Digest;
  readonly kind: 'backup' | 'version';
  /** Null of a version. */
  readonly backupType: BackupType | null;
  /** Of `id`; so it is the index's too. */
  readonly number: number;
  readonly subject: Subject;
  readonly created: Date;
  /** Reason of a backup, description of a version; may hold anything. */
  readonly reason: string;
  /** Operation (of the journal) that made it. What `undo` takes back goes by this. */
  readonly operation: string;
  readonly files: readonly SnapshotFile[];
  readonly folders: readonly string[];
  /** As `Source.facts`. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** Bytes of all files. */
  readonly size: number;
  /** When every file of it was last hashed and found right. Null: some were never. The index's. */
  readonly verified: Date | null;
  /** Set when a verification found it wrong: why. The index's. */
  readonly damage: string | null;
  /** When `undo` took back what it was made for. The index's. */
  readonly undone: Date | null;
  /** Other vaults that a `sync` brought it to and re-read there. The index's. */
  readonly places: readonly string[];
}

export interface SnapshotFile {
  readonly path: string;
  readonly digest: Digest;
  readonly size: number;
  readonly executable?: boolean;
}

/** What a snapshot is made from, before it has number, digest and files. */
export type SnapshotDraft = Pick<
  Snapshot,
  'kind' | 'backupType' | 'subject' | 'created' | 'reason' | 'operation' | 'folders' | 'facts'
>;

/** A record of the index that can't be read, or that lacks its manifest or metadata. While there is one, nothing is deleted from the vault. */
export interface BrokenRecord {
  /** Its tag, or its digest. */
  readonly name: string;
  readonly why: string;
}
