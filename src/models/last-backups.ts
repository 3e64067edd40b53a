import { savedAt } from '../vault/deleted-version.ts';
import type { Snapshot } from '../vault/snapshot.ts';
import type { Subject } from '../vault/subject.ts';

/** When each model was last saved whole: the newest snapshot of it that was hashed and found right. Null: never. */
export function lastBackups(
  snapshots: readonly Pick<Snapshot, 'subject' | 'created' | 'verified' | 'damage' | 'facts'>[],
): (subject: Subject) => Date | null {
  const newest = new Map<string, Date>();
  for (const snapshot of snapshots) {
    const { subject, verified, damage } = snapshot;
    if (verified === null || damage !== null) continue;
    const created = savedAt(snapshot);
    const known = newest.get(keyOf(subject));
    if (!known || created > known) newest.set(keyOf(subject), created);
  }
  return (subject) => newest.get(keyOf(subject)) ?? null;
}

/** Every snapshot of one model, in the order given. */
export function snapshotsOf(snapshots: readonly Snapshot[], subject: Subject): Snapshot[] {
  return snapshots.filter((each) => keyOf(each.subject) === keyOf(subject));
}

/** Ollama compares names without regard to case. */
function keyOf({ runtime, name }: Subject): string {
  return `${runtime} ${runtime === 'ollama' ? name.toLowerCase() : name}`;
}
