import { expect, test } from 'vitest';
import type { Snapshot } from '../vault/snapshot.ts';
import type { Subject } from '../vault/subject.ts';
import { lostModels } from './lost-runtimes.ts';

let number = 0;

function snapshot(subject: Subject, own: Partial<Snapshot> = {}): Snapshot {
  number += 1;
  return {
    id: `b${number}`,
    number,
    subject,
    created: new Date(1_700_000_000_000 + number),
    backupType: 'emergency',
    undone: null,
    facts: {},
    files: [],
    ...own,
  } as unknown as Snapshot;
}

const taken = { backupType: 'pre_deletion', facts: { taken: true } } as const;
const tea: Subject = { runtime: 'ollama', name: 'tea:latest' };
const volume: Subject = { runtime: 'volume', name: 'ollama' };
const store = {
  files: [{ path: 'models/manifests/registry/library/tea/latest' }],
} as unknown as Partial<Snapshot>;

function lost(...snapshots: Snapshot[]): string[] {
  return lostModels(snapshots, 'ollama').map(({ subject }) => subject.name);
}

test('models that the vault knows and nobody removed were lost', () => {
  expect(lost(snapshot(tea))).toEqual(['tea:latest']);
  expect(lost(snapshot(tea), snapshot(tea, taken))).toEqual([]);
});

test('a store that was taken away as a whole took its models along, until it is back', () => {
  const before = snapshot(tea);
  expect(lost(before, snapshot(volume, { ...taken, ...store }))).toEqual([]);
  expect(lost(before, snapshot(volume, { ...taken, ...store, undone: new Date() }))).toEqual(['tea:latest']);
});

test('a volume that holds no store, or went before the model came, took none along', () => {
  expect(lost(snapshot(tea), snapshot(volume, taken))).toEqual(['tea:latest']);
  expect(lost(snapshot(volume, { ...taken, ...store }), snapshot(tea))).toEqual(['tea:latest']);
  expect(lost(snapshot(tea), snapshot(volume, store))).toEqual(['tea:latest']);
});

test('a model that was removed is not lost because a version of it was deleted since', () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  const created = new Date(1_600_000_000_000).toISOString();
  const deletedVersion = { id: 'tea:latest@v001', number: 1, digest, created };
  const deleted = { backupType: 'deleted_version', facts: { taken: true, deletedVersion } } as const;
  expect(lost(snapshot(tea), snapshot(tea, taken), snapshot(tea, deleted))).toEqual([]);
});
