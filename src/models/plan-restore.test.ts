import { expect, test } from 'vitest';
import { digestOf } from '../vault/digest.ts';
import type { Snapshot } from '../vault/snapshot.ts';
import { lostModels } from './lost-runtimes.ts';
import { means } from './named-subject.ts';
import { planRestore, takings } from './plan-restore.ts';

function snapshot(number: number, more: Partial<Snapshot> & { name?: string } = {}): Snapshot {
  const { name = 'tea', ...rest } = more;
  return {
    id: `b${String(number).padStart(4, '0')}`,
    digest: digestOf(String(number).padStart(64, '0')),
    kind: 'backup',
    backupType: 'pre_deletion',
    number,
    subject: { runtime: 'ollama', name },
    created: new Date(number * 1000),
    reason: '',
    operation: `o${number}`,
    files: [],
    folders: [],
    facts: { taken: true },
    size: 1,
    verified: null,
    damage: null,
    undone: null,
    places: [],
    ...rest,
  };
}

const idsOf = (snapshots: readonly Snapshot[]) => snapshots.map(({ id }) => id);

const groupsOf = (snapshots: readonly Snapshot[]) => takings(snapshots).map(idsOf);

test('undo takes back all models of a command, newest first, the last command first', () => {
  const first = snapshot(1);
  const both = [
    snapshot(2, { operation: 'two' }),
    snapshot(3, { operation: 'two', name: 'milk', backupType: 'pre_update' }),
  ];
  expect(groupsOf([first, ...both])).toEqual([['b0003', 'b0002'], ['b0001']]);
});

test('what was taken back is not taken back again', () => {
  const undone = snapshot(3, { undone: new Date() });
  expect(groupsOf([snapshot(1), undone])).toEqual([['b0001']]);
  expect(groupsOf([undone])).toEqual([]);
});

test('what somebody only backed up is no matter of undo, whatever they called it', () => {
  const byHand = (number: number, backupType: Snapshot['backupType']) =>
    snapshot(number, { backupType, facts: {} });
  const all = [byHand(2, 'pre_deletion'), byHand(3, 'pre_update'), byHand(4, 'emergency')];
  expect(groupsOf([snapshot(1), ...all])).toEqual([['b0001']]);
});

test('of a model that one command saved twice, what stood there first is brought back', () => {
  const twice = [snapshot(1, { operation: 'o' }), snapshot(2, { operation: 'o' })];
  expect(groupsOf(twice)).toEqual([['b0001']]);
});

test('what stands there is saved before it is replaced; the same stays', () => {
  const one = snapshot(1);
  const target = one.subject;
  const kinds = (standing: Parameters<typeof planRestore>[0]['standing']) =>
    planRestore({ snapshot: one, target, standing }).map(({ kind }) => kind);
  expect(kinds({ kind: 'nothing' })).toEqual(['restore']);
  expect(kinds({ kind: 'same' })).toEqual(['keep']);
  expect(kinds({ kind: 'other', size: 1, damage: null })).toEqual(['save', 'restore']);
});

test('a store that is empty has lost what nobody removed, and nothing else', () => {
  const removed = snapshot(1);
  const backedUp = snapshot(2, { name: 'milk', backupType: 'emergency' });
  expect(lostModels([removed], 'ollama')).toEqual([]);
  expect(idsOf(lostModels([removed, backedUp], 'ollama'))).toEqual(['b0002']);
  expect(lostModels([removed, backedUp], 'llama-server')).toEqual([]);
  expect(idsOf(lostModels([snapshot(1, { undone: new Date() })], 'ollama'))).toEqual(['b0001']);
  expect(lostModels([backedUp, snapshot(3, { name: 'milk' })], 'ollama')).toEqual([]);
  const byHand = snapshot(4, { facts: {} });
  expect(idsOf(lostModels([byHand], 'ollama'))).toEqual(['b0004']);
});

test.each([
  ['tea', 'ollama', 'tea:latest', true],
  ['TEA:latest', 'ollama', 'tea:latest', true],
  ['tea:1b', 'ollama', 'tea:latest', false],
  ['tea', 'llama-server', 'tea.gguf', false],
  ['tea.gguf', 'llama-server', 'tea.gguf', true],
  ['/a/b/../c', 'directory', '/a/c', true],
] as const)('%s means the model of %s called %s: %s', (text, runtime, name, expected) => {
  expect(means(text, { runtime, name })).toBe(expected);
});
