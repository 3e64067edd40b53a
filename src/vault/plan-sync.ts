import type { Step } from '../plan/step.ts';
import type { Snapshot } from './snapshot.ts';

export type SyncStep = Step<{
  /** To be brought over; damaged ones never are. */
  copy: { readonly snapshot: Snapshot };
  /** There already, with this digest. */
  check: { readonly snapshot: Snapshot };
  skip: { readonly snapshot: Snapshot };
}>;

/** What makes the records of a second vault whole again, before anything is brought over. */
export type MendStep = Step<{
  /** Manifest and metadata of `snapshot`, which lies here too, written there anew. */
  record: { readonly name: string; readonly snapshot: Snapshot };
  /** Its `index.json`, made anew from the manifests that lie there. */
  index: { readonly name: string };
}>;

/** What brings a second vault up to date, oldest first, so that one that is cut short holds a history without holes. */
export function planSync(here: readonly Snapshot[], there: readonly Snapshot[]): SyncStep[] {
  const known = new Map(there.map((snapshot) => [snapshot.digest, snapshot]));
  return [...here]
    .sort((a, b) => a.created.getTime() - b.created.getTime() || a.number - b.number)
    .map((snapshot): SyncStep => {
      const other = known.get(snapshot.digest);
      if (other && other.damage === null)
        return { kind: 'check', snapshot, because: `it is there as ${other.id}` };
      if (snapshot.damage !== null)
        return { kind: 'skip', snapshot, because: `it is damaged: ${snapshot.damage}` };
      if (other) return { kind: 'copy', snapshot, because: `it is damaged there: ${other.damage}` };
      return { kind: 'copy', snapshot, because: 'it is not there yet' };
    });
}
