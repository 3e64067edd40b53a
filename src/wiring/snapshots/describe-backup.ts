import type { Snapshot } from '../../vault/snapshot.ts';

/** A `backup` object as `--format json` prints it (docs/commands.md). */
export interface BackupObject {
  readonly id: string;
  readonly model: string;
  readonly runtime: Snapshot['subject']['runtime'];
  readonly backupType: Snapshot['backupType'];
  /** ISO 8601, UTC. */
  readonly created: string;
  readonly reason: string;
  /** Bytes. */
  readonly size: number;
  /** When every file of it was last hashed and found right; null: some were never. */
  readonly verified: string | null;
  readonly damage: string | null;
  /** When `undo` brought it back. */
  readonly undone: string | null;
  /** Other vaults that have it too. */
  readonly places: readonly string[];
}

export function describeBackup(snapshot: Snapshot): BackupObject {
  const { id, subject, backupType, created, reason, size, verified, damage, undone, places } = snapshot;
  return {
    id,
    model: subject.name,
    runtime: subject.runtime,
    backupType,
    created: created.toISOString(),
    reason,
    size,
    verified: verified?.toISOString() ?? null,
    damage,
    undone: undone?.toISOString() ?? null,
    places,
  };
}
