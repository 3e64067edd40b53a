import { checkSnapshot, damageWhenSaved, type HashedBlobs } from '../../vault/check-snapshot.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { Work } from '../operation.ts';
import type { Surroundings } from '../surroundings.ts';
import { working } from '../working.ts';

export interface Verdict {
  /** Null: every byte is right. */
  readonly damage: string | null;
  /** Right bytes from elsewhere would mend it; not so of one that was damaged when it was saved. */
  readonly mendable: boolean;
}

/** Re-hashes a snapshot in the vault, and notes what was found. `hashed`: so that no blob is hashed twice. */
export async function verifySnapshot(
  context: Surroundings,
  snapshot: Snapshot,
  { writer }: Work,
  hashed: HashedBlobs = new Map(),
): Promise<Verdict> {
  const wrong = await working(context, `Hashing ${snapshot.id}`, snapshot.size, (options) =>
    checkSnapshot(snapshot, writer, { ...options, now: new Date(), hashed }),
  );
  const asSaved = damageWhenSaved(snapshot);
  const damage = wrong ?? (asSaved === null ? null : `as it was saved: ${asSaved}`);
  return { damage, mendable: wrong !== null };
}

/** What to do about damaged snapshots. */
export function mendingHint(mendable: boolean): string {
  return mendable
    ? 'aixcl vault verify --repair'
    : 'aixcl backups list shows which others are right; files as they are: aixcl backups restore ID --to DIR';
}
