import { expect, test } from 'vitest';
import { deletedVersionFacts } from './deleted-version.ts';
import { digestOf } from './digest.ts';
import { type CleanupFacts, lastGoodCopies, obstacleToCleanup, planCleanup } from './retention.ts';
import type { Snapshot } from './snapshot.ts';

const now = new Date('2026-06-30T12:00:00Z');
const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000);

let number = 0;
function snapshot(model: string, days: number, content: string, more: Partial<Snapshot> = {}): Snapshot {
  number += 1;
  const digest = digestOf(Buffer.from(content).toString('hex').padEnd(64, '0'));
  return {
    id: `b${String(number).padStart(4, '0')}`,
    digest,
    kind: 'backup',
    backupType: 'emergency',
    number,
    subject: { runtime: 'llama-server', name: model },
    created: daysAgo(days),
    reason: '',
    operation: 'o',
    files: [{ path: model, digest, size: 1 }],
    folders: [],
    facts: {},
    size: 1,
    verified: daysAgo(days),
    damage: null,
    undone: null,
    places: [],
    ...more,
  };
}

function facts(snapshots: readonly Snapshot[], more: Partial<CleanupFacts> = {}): CleanupFacts {
  return {
    snapshots: [...snapshots].reverse(),
    broken: [],
    now,
    retentionDays: 30,
    newestEntry: null,
    answered: new Set(),
    lost: [],
    ...more,
  };
}

/** One line a step: `delete tea 40: …`, by age in days. */
function shown(given: CleanupFacts): string[] {
  return planCleanup(given).map(({ kind, snapshot: { subject, created }, because }) => {
    const age = Math.round((now.getTime() - created.getTime()) / 86_400_000);
    return `${kind} ${subject.name} ${age}: ${because.replace(/b\d{4}/g, 'bN')}`;
  });
}

test('the last good copy of a model stays, however old it is', () => {
  expect(shown(facts([snapshot('tea', 4000, 'a')]))).toEqual(['keep tea 4000: the last good copy of tea']);
});

test('the last good copy goes when each byte of it answered at its source in this run', () => {
  const only = snapshot('tea', 40, 'a');
  expect(shown(facts([only], { answered: new Set([only.id]) }))).toEqual([
    'delete tea 40: each byte of it answers at its source',
  ]);
});

test('an older copy stays when the newer one goes because its source answers', () => {
  const [older, newer] = [snapshot('tea', 80, 'a'), snapshot('tea', 40, 'b')];
  expect(shown(facts([older, newer], { answered: new Set([newer.id]) }))).toEqual([
    'delete tea 40: each byte of it answers at its source',
    'keep tea 80: the last good copy of tea',
  ]);
});

test('what is younger than the retention stays, and so does nothing else that a newer good copy stands for', () => {
  expect(shown(facts([snapshot('tea', 50, 'a'), snapshot('tea', 40, 'b'), snapshot('tea', 3, 'c')]))).toEqual(
    [
      'keep tea 3: younger than 30 days, until 2026-07-27',
      'delete tea 40: older than 30 days; bN is newer',
      'delete tea 50: older than 30 days; bN is newer',
    ],
  );
});

test('a copy whose content a later good one holds too may go', () => {
  expect(shown(facts([snapshot('tea', 50, 'a'), snapshot('tea', 1, 'a')]))).toEqual([
    'keep tea 1: younger than 30 days, until 2026-07-29',
    'delete tea 50: bN holds the same',
  ]);
});

test('a backup of another model is no copy of this one', () => {
  expect(shown(facts([snapshot('tea', 50, 'a'), snapshot('milk', 40, 'a')]))).toEqual([
    'keep milk 40: the last good copy of milk',
    'keep tea 50: the last good copy of tea',
  ]);
});

test('damaged and never verified snapshots count as no copies', () => {
  const damaged = snapshot('tea', 35, 'b', { damage: 'rotten' });
  const unread = snapshot('tea', 34, 'c', { verified: null });
  expect(shown(facts([snapshot('tea', 50, 'a'), damaged, unread]))).toEqual([
    'delete tea 34: never verified; bN is a good copy',
    'delete tea 35: damaged; bN is a good copy',
    'keep tea 50: the last good copy of tea',
  ]);
});

test('a copy that was never verified stays while nothing better is there', () => {
  expect(shown(facts([snapshot('tea', 50, 'a', { verified: null })]))).toEqual([
    'keep tea 50: never verified, and there is no good copy of tea',
  ]);
});

test('a version counts as a copy and is never touched', () => {
  const version = snapshot('tea', 90, 'a', { kind: 'version', backupType: null, id: 'tea@v001' });
  expect(shown(facts([version, snapshot('tea', 91, 'b')]))).toEqual([
    'delete tea 91: older than 30 days; tea@v001 is newer',
  ]);
});

test('fewer days than were promised do not touch what was saved before a removal', () => {
  const kept = snapshot('tea', 10, 'a', { backupType: 'pre_deletion' });
  expect(
    shown(facts([kept, snapshot('tea', 9, 'b'), snapshot('tea', 8, 'b')], { retentionDays: 0 })),
  ).toEqual([
    'keep tea 8: the last good copy of tea',
    'delete tea 9: bN holds the same',
    'keep tea 10: kept 30 days, as was said when it was made, until 2026-07-20',
  ]);
});

test.each([
  ['a record can not be read', { broken: [{ name: 'b0001', why: 'it is no JSON' }] }, "b0001 can't be read"],
  ['a record is in the future', { snapshots: [snapshot('x', -1, 'a')] }, 'was the clock changed'],
  ['a record has no time', { snapshots: [snapshot('x', Number.NaN, 'a')] }, 'is dated'],
  ['the journal is in the future', { newestEntry: daysAgo(-0.1) }, 'journal'],
  ['a runtime has lost all its models', { lost: ['ollama'] }, 'no model of ollama'],
] as const)('nothing goes while %s', (_, more, why) => {
  const given = facts([snapshot('tea', 50, 'a'), snapshot('tea', 40, 'a')]);
  expect(planCleanup(given).some(({ kind }) => kind === 'delete')).toBe(true);
  const hindered = {
    ...given,
    ...more,
    ...('snapshots' in more && { snapshots: [...given.snapshots, ...more.snapshots] }),
  };
  expect(planCleanup(hindered).every(({ kind }) => kind === 'keep')).toBe(true);
  expect(obstacleToCleanup(hindered)).toContain(why);
});

test('the sources to ask are those of old last copies alone', () => {
  const last = snapshot('milk', 50, 'a');
  const given = facts([snapshot('tea', 50, 'a'), snapshot('tea', 3, 'b'), last]);
  expect(lastGoodCopies(given)).toEqual([last]);
});

test('other bytes of the model that one goes for are named, so that they can be hashed first', () => {
  const [older, newer] = [snapshot('tea', 50, 'a'), snapshot('tea', 40, 'b')];
  const same = snapshot('tea', 45, 'b');
  const survivors = planCleanup(facts([older, newer, same])).map((step) =>
    step.kind === 'delete' ? [step.snapshot.id, step.survivor?.id ?? null] : [step.snapshot.id],
  );
  expect(survivors).toEqual([[newer.id], [same.id, null], [older.id, newer.id]]);
});

/** A version of `days` ago that was deleted `ago`. */
function deletedVersion(days: number, ago: number, content: string): Snapshot {
  const version = snapshot('tea', days, content, { kind: 'version', backupType: null });
  const facts = { taken: true, ...deletedVersionFacts(version) };
  return snapshot('tea', ago, content, { backupType: 'deleted_version', facts });
}

test('a version that was deleted is kept from then on, and is no newer than it was made', () => {
  const removed = snapshot('tea', 60, 'new', { backupType: 'pre_deletion' });
  expect(shown(facts([removed, deletedVersion(90, 40, 'old')]))).toEqual([
    'keep tea 60: the last good copy of tea',
    'delete tea 40: older than 30 days; bN is newer',
  ]);
  expect(shown(facts([removed, deletedVersion(90, 20, 'old')])).at(-1)).toMatch(
    /^keep tea 20: younger than 30 days/,
  );
});
