import type { Step } from '../plan/step.ts';
import { savedAt } from './deleted-version.ts';
import type { BrokenRecord, Snapshot } from './snapshot.ts';
import { type Subject, sameSubject } from './subject.ts';

/** Days that a snapshot is kept at the least, as is said when it is made. `backups cleanup --retention-days` can only say more. */
const promisedDays = 30;

/** Types that a command makes on its own, in place of what it takes away. Whoever ran it was told for how long they stay. */
const promised: readonly (Snapshot['backupType'] | undefined)[] = [
  'pre_deletion',
  'pre_update',
  'pre_consolidation',
  'deleted_version',
];

export type CleanupStep = Step<{
  /** `survivor`: other bytes of the same model, that have to be right for this one to go. Null: it goes for nothing of the vault's. */
  delete: { readonly snapshot: Snapshot; readonly survivor: Snapshot | null };
  keep: { readonly snapshot: Snapshot };
}>;

export interface CleanupFacts {
  readonly snapshots: readonly Snapshot[];
  readonly broken: readonly BrokenRecord[];
  readonly now: Date;
  readonly retentionDays: number;
  /** Newest time of the journal; null when nothing was ever written there. */
  readonly newestEntry: Date | null;
  /** Ids of snapshots of which each blob answered at its source in this run. */
  readonly answered: ReadonlySet<string>;
  /** Runtimes of which nothing was found though the vault holds models of theirs: a volume that was lost, say. */
  readonly lost: readonly Subject['runtime'][];
}

/** Why nothing may be deleted at all; undefined when nothing speaks against it. */
export function obstacleToCleanup(facts: CleanupFacts): string | undefined {
  const [broken] = facts.broken;
  if (broken) return `the record ${broken.name} can't be read: ${broken.why}`;
  const future = facts.snapshots.find(({ created }) => !(created <= facts.now));
  if (future) {
    const dated = Number.isNaN(future.created.getTime()) ? 'no time' : future.created.toISOString();
    return `${future.id} is dated ${dated}, which is not before now: was the clock changed?`;
  }
  if (facts.newestEntry && facts.newestEntry > facts.now) {
    return `the journal was last written at ${facts.newestEntry.toISOString()}, which is after now: was the clock changed?`;
  }
  const [lost] = facts.lost;
  if (lost) return `no model of ${lost} is there, though the vault holds some that nobody removed`;
  return undefined;
}

/** The snapshots that are the last good copy of their model, old enough to go: theirs are the sources to ask before a cleanup. */
export function lastGoodCopies(facts: Omit<CleanupFacts, 'answered' | 'lost'>): Snapshot[] {
  const copies = backupsOf(facts.snapshots);
  return copies.filter((each) => old(each, facts) && isGood(each) && !laterGood(each, copies));
}

/**
 * What becomes of each backup, newest first. The good ones are decided before the others and the newer before the older, so that one
 * goes only for another that stays.
 */
export function planCleanup(facts: CleanupFacts): CleanupStep[] {
  const obstacle = obstacleToCleanup(facts);
  const backups = backupsOf(facts.snapshots);
  if (obstacle) return backups.map((snapshot) => ({ kind: 'keep', because: obstacle, snapshot }));
  const staying = new Set(facts.snapshots);
  const steps = new Map<Snapshot, CleanupStep>();
  for (const snapshot of [...backups.filter(isGood), ...backups.filter((each) => !isGood(each))]) {
    const verdict = verdictOn(snapshot, facts, staying);
    if (verdict.kind === 'delete') staying.delete(snapshot);
    steps.set(snapshot, { ...verdict, snapshot });
  }
  return backups.flatMap((snapshot) => steps.get(snapshot) ?? []);
}

type Verdict =
  | { readonly kind: 'delete'; readonly because: string; readonly survivor: Snapshot | null }
  | { readonly kind: 'keep'; readonly because: string };

/** `staying`: what is left of the vault by the steps so far. */
function verdictOn(snapshot: Snapshot, facts: CleanupFacts, staying: ReadonlySet<Snapshot>): Verdict {
  if (!old(snapshot, facts)) {
    const { days, why } = daysOf(snapshot, facts);
    const until = new Date(snapshot.created.getTime() + days * msPerDay);
    return { kind: 'keep', because: `${why}, until ${dateOf(until)}` };
  }
  const others = [...staying].filter((each) => each !== snapshot);
  if (!isGood(snapshot)) {
    const good = others.find((each) => sameSubject(each.subject, snapshot.subject) && isGood(each));
    const state = snapshot.damage ? 'damaged' : 'never verified';
    if (good) return { kind: 'delete', because: `${state}; ${good.id} is a good copy`, survivor: good };
    return { kind: 'keep', because: `${state}, and there is no good copy of ${snapshot.subject.name}` };
  }
  const same = others.find((each) => isGood(each) && later(each, snapshot) && sameContent(each, snapshot));
  // The same blobs: with this one goes no byte.
  if (same) return { kind: 'delete', because: `${same.id} holds the same`, survivor: null };
  const newer = laterGood(snapshot, others);
  if (newer) {
    const because = `older than ${ageOf(snapshot, facts)}; ${newer.id} is newer`;
    return { kind: 'delete', because, survivor: newer };
  }
  if (facts.answered.has(snapshot.id))
    return { kind: 'delete', because: 'each byte of it answers at its source', survivor: null };
  return { kind: 'keep', because: `the last good copy of ${snapshot.subject.name}` };
}

/** A good copy is one of which every file was hashed and found right, and that nothing was found wrong with. */
export function isGood({ verified, damage }: Pick<Snapshot, 'verified' | 'damage'>): boolean {
  return verified !== null && damage === null;
}

/** The same files under the same names, of the same model; links and modes too, where they are known. */
export function sameContent(a: Snapshot, b: Snapshot): boolean {
  return sameSubject(a.subject, b.subject) && contentKey(a) === contentKey(b);
}

function contentKey({ files, folders, facts }: Snapshot): string {
  const lines = files.map(({ path, digest, executable }) =>
    JSON.stringify([path, digest, executable === true]),
  );
  const beside = JSON.stringify([facts.links ?? [], facts.modes ?? []]);
  return [...lines, ...folders.map((path) => JSON.stringify([path])), beside].sort().join('\n');
}

/** Earliest day on which a retention rule may take a backup that is made now. */
export function heldUntil(created: Date): string {
  return dateOf(new Date(created.getTime() + promisedDays * msPerDay));
}

const msPerDay = 86_400_000;

function backupsOf(snapshots: readonly Snapshot[]): Snapshot[] {
  return snapshots.filter(({ kind }) => kind === 'backup').sort((a, b) => (later(a, b) ? -1 : 1));
}

function laterGood(snapshot: Snapshot, among: readonly Snapshot[]): Snapshot | undefined {
  return among.find(
    (each) => isGood(each) && sameSubject(each.subject, snapshot.subject) && later(each, snapshot),
  );
}

/** By when the bytes were saved, and where that is the same by number: two can be made in one millisecond. */
function later(a: Snapshot, b: Snapshot): boolean {
  const [one, other] = [savedAt(a).getTime(), savedAt(b).getTime()];
  return one === other ? a.number > b.number : one > other;
}

function old(snapshot: Snapshot, facts: Pick<CleanupFacts, 'now' | 'retentionDays'>): boolean {
  return facts.now.getTime() - snapshot.created.getTime() > daysOf(snapshot, facts).days * msPerDay;
}

function daysOf(
  { backupType }: Snapshot,
  { retentionDays }: Pick<CleanupFacts, 'retentionDays'>,
): { readonly days: number; readonly why: string } {
  if (promised.includes(backupType) && retentionDays < promisedDays) {
    return { days: promisedDays, why: `kept ${promisedDays} days, as was said when it was made` };
  }
  return { days: retentionDays, why: `younger than ${daysText(retentionDays)}` };
}

function ageOf(snapshot: Snapshot, facts: Pick<CleanupFacts, 'retentionDays'>): string {
  return daysText(daysOf(snapshot, facts).days);
}

function daysText(days: number): string {
  return `${days} day${days === 1 ? '' : 's'}`;
}

function dateOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}
