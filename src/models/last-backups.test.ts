import { expect, test } from 'vitest';
import type { Snapshot } from '../vault/snapshot.ts';
import type { Subject } from '../vault/subject.ts';
import { lastBackups, snapshotsOf } from './last-backups.ts';

const ollama = (name: string): Subject => ({ runtime: 'ollama', name });
const saved = (subject: Subject, day: number, more: Partial<Snapshot> = {}) =>
  ({
    subject,
    created: new Date(day),
    verified: new Date(day),
    damage: null,
    facts: {},
    ...more,
  }) as Snapshot;

test('the last backup is the newest that was found right', () => {
  const last = lastBackups([
    saved(ollama('a:latest'), 1),
    saved(ollama('a:latest'), 2),
    saved(ollama('a:latest'), 3, { verified: null }),
    saved(ollama('a:latest'), 4, { damage: 'rotten' }),
    saved({ runtime: 'llama-server', name: 'b:latest' }, 5),
  ]);
  expect(last(ollama('a:latest'))).toEqual(new Date(2));
  expect(last(ollama('b:latest'))).toBeNull();
});

test("the case of a name is Ollama's to ignore, and of a file name's a part", () => {
  const upper: Subject = { runtime: 'llama-server', name: 'A.gguf' };
  const all = [saved(ollama('Tea:1b'), 1), saved(upper, 2)];
  expect(snapshotsOf(all, ollama('tea:1B'))).toHaveLength(1);
  expect(snapshotsOf(all, { runtime: 'llama-server', name: 'a.gguf' })).toEqual([]);
});

test('a model was not saved when a version of it was deleted, but when that was made', () => {
  const id = 'a:latest@v001';
  const digest = `sha256:${'0'.repeat(64)}`;
  const deletedVersion = { id, number: 1, digest, created: new Date(3).toISOString() };
  const last = lastBackups([saved(ollama('a:latest'), 9, { facts: { deletedVersion } })]);
  expect(last(ollama('a:latest'))).toEqual(new Date(3));
});
