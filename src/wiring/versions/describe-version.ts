import { versionFacts } from '../../models/version-facts.ts';
import type { Snapshot } from '../../vault/snapshot.ts';

/** A `version` object as `--format json` prints it (docs/commands.md). */
export interface VersionObject {
  readonly id: string;
  readonly model: string;
  readonly runtime: Snapshot['subject']['runtime'];
  readonly number: number;
  /** ISO 8601, UTC. */
  readonly created: string;
  readonly description: string;
  /** Bytes. */
  readonly size: number;
  /** As they were given; null: none were. */
  readonly metrics: unknown;
  /** When every file of it was last hashed and found right; null: some were never. */
  readonly verified: string | null;
  readonly damage: string | null;
  readonly latest: boolean;
  /** Other vaults that have it too. */
  readonly places: readonly string[];
}

/** `latest`: ids of those that are. */
export function describeVersion(snapshot: Snapshot, latest: ReadonlySet<string>): VersionObject {
  const { id, subject, number, created, reason, size, facts, verified, damage, places } = snapshot;
  return {
    id,
    model: subject.name,
    runtime: subject.runtime,
    number,
    created: created.toISOString(),
    description: reason,
    size,
    metrics: versionFacts(facts).metrics,
    verified: verified?.toISOString() ?? null,
    damage,
    latest: latest.has(id),
    places,
  };
}
