import { savedAt } from '../vault/deleted-version.ts';
import type { Snapshot } from '../vault/snapshot.ts';
import type { Subject } from '../vault/subject.ts';

/**
 * Models of one runtime that the vault knows and that nobody removed through aixcl, by their newest snapshots. Where a runtime has no model
 * at all, they tell a store that was lost — a volume removed and made empty again, a disk that is not mounted — from one that is new.
 */
export function lostModels(snapshots: readonly Snapshot[], runtime: Subject['runtime']): Snapshot[] {
  const newest = new Map<string, Snapshot>();
  for (const snapshot of snapshots.filter(({ subject }) => subject.runtime === runtime)) {
    const known = newest.get(snapshot.subject.name);
    if (!known || isLater(snapshot, known)) newest.set(snapshot.subject.name, snapshot);
  }
  return [...newest.values()].filter(
    (each) => (!isOfRemoval(each) || each.undone !== null) && !wentWithVolume(each, snapshots),
  );
}

/** `stack clean --volumes` took the store as a whole. */
function wentWithVolume(model: Snapshot, snapshots: readonly Snapshot[]): boolean {
  return snapshots.some(
    (each) =>
      each.subject.runtime === 'volume' &&
      model.subject.runtime === 'ollama' &&
      isOfRemoval(each) &&
      each.undone === null &&
      isLater(each, model) &&
      each.files.some(({ path }) => /(^|\/)manifests\//.test(path)),
  );
}

/** By its type alone it could be a backup that somebody made by hand. */
function isOfRemoval({ backupType, facts }: Snapshot): boolean {
  return backupType === 'pre_deletion' && facts.taken === true;
}

function isLater(a: Snapshot, b: Snapshot): boolean {
  const [one, other] = [savedAt(a).getTime(), savedAt(b).getTime()];
  return one === other ? a.number > b.number : one > other;
}
