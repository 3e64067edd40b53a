import { expect, test } from 'vitest';
import type { PageSnapshot } from '../../api.ts';
import { byModel, kindOf } from './snapshot-words.ts';

const snapshot = (more: Partial<PageSnapshot>): PageSnapshot => ({
  id: 'b1',
  kind: 'backup',
  model: 'tea.gguf',
  runtime: 'llama-server',
  backupType: 'pre_deletion',
  created: '2026-01-01T00:00:00Z',
  reason: '',
  size: 1,
  verified: null,
  damage: null,
  notRestorable: null,
  commands: [],
  ...more,
});

test('a version is told by its number, a backup by what it was made for', () => {
  expect(kindOf(snapshot({ kind: 'version', id: 'tea.gguf@v003' }))).toBe('Version v003');
  expect(kindOf(snapshot({}))).toBe('Backup, before it was deleted');
  expect(kindOf(snapshot({ backupType: 'later_kind' }))).toBe('Backup, later_kind');
});

test('snapshots stand by model; the same name in two runtimes is two models', () => {
  const groups = byModel([
    snapshot({ id: 'b3', model: 'milk.gguf' }),
    snapshot({ id: 'b2' }),
    snapshot({ id: 'b1' }),
    snapshot({ id: 'b0', runtime: 'ollama' }),
  ]);
  expect(groups.map(({ model, runtime, snapshots }) => [model, runtime, snapshots.length])).toEqual([
    ['milk.gguf', 'llama-server', 1],
    ['tea.gguf', 'llama-server', 2],
    ['tea.gguf', 'ollama', 1],
  ]);
});
