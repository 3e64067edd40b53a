import { expect, test } from 'vitest';
import { digestOf } from '../vault/digest.ts';
import type { Snapshot } from '../vault/snapshot.ts';
import { compareFiles, compareMetadata, compareTensors, pairFiles, type TensorOf } from './version-diff.ts';

const file = (path: string, hex: string, size = 10) => ({ path, size, digest: digestOf(hex.repeat(64)) });

function version(more: Partial<Snapshot>): Snapshot {
  return {
    kind: 'version',
    subject: { runtime: 'llama-server', name: 'tea.gguf' },
    created: new Date(0),
    reason: 'first',
    size: 10,
    files: [file('tea.gguf', 'a')],
    folders: [],
    facts: {},
    ...more,
  } as Snapshot;
}

test('two versions that say the same differ in nothing', () => {
  const a = version({ facts: { metricsText: '{"loss": 1.0}', trainingData: [] } });
  expect(compareMetadata(a, { ...a, id: 'tea.gguf@v002' })).toEqual([]);
  expect(compareFiles(a, a)).toEqual([]);
});

test('what only one says, and what both say otherwise, is told field by field', () => {
  const data = (path: string, sha256: string) => ({ path, size: 1, sha256 });
  const a = version({
    facts: { metricsText: '{"loss": 1.0, "n": 1}', trainingData: [data('/x', 'a'), data('/y', 'b')] },
  });
  const b = version({
    reason: 'second\nline',
    facts: {
      metricsText: '{"loss": 1.00}',
      trainingData: [data('/x', 'c')],
      baseModel: { name: 'tea', digest: null },
    },
  });
  expect(compareMetadata(a, b)).toEqual([
    { field: 'description', a: 'first', b: 'second\nline' },
    { field: 'training data /x', a: '1 bytes, sha256:a', b: '1 bytes, sha256:c' },
    { field: 'training data /y', a: '1 bytes, sha256:b', b: null },
    { field: 'metrics.loss', a: '1.0', b: '1.00' },
    { field: 'metrics.n', a: '1', b: null },
    { field: 'base model', a: null, b: 'tea' },
  ]);
});

test('files are told by path; those of the run under the folder that they lie in', () => {
  const a = version({ files: [file('same', 'a'), file('gone', 'b', 3), file('other', 'c', 4)] });
  const b = version({
    files: [
      file('same', 'a'),
      file('other', 'd', 5),
      file('new', 'e', 6),
      file('evolution_snapshots/x.json', 'f', 7),
    ],
    facts: { evolution: { files: 1, size: 7 } },
  });
  expect(compareFiles(a, b)).toEqual([
    { path: 'gone', change: 'removed', a: 3, b: null },
    { path: 'new', change: 'added', a: null, b: 6 },
    { path: 'other', change: 'changed', a: 4, b: 5 },
    { path: 'evolution_snapshots/x.json', change: 'added', a: null, b: 7 },
  ]);
});

test('files of one path belong together, the rest as a whole, and what is the same to nobody', () => {
  const names = (pairs: ReturnType<typeof pairFiles>) =>
    pairs.map(({ a, b }) => [a.map(({ path }) => path), b.map(({ path }) => path)]);
  const a = [file('x', '1'), file('y', '2'), file('old-1', '3'), file('old-2', '4'), file('moved', '5')];
  const b = [file('x', '1'), file('y', '6'), file('new', '7'), file('elsewhere', '5')];
  expect(names(pairFiles(a, b))).toEqual([
    [['y'], ['y']],
    [['old-1', 'old-2'], ['new']],
  ]);
});

test('tensors are held against each other by name: shape before type, and values where both are the same', () => {
  const tensor = (name: string, type: string, shape: number[]): TensorOf => ({
    name,
    type,
    shape,
    from: 0,
    bytes: 4,
    file: file('tea.gguf', 'a'),
  });
  const { changes, undecided } = compareTensors(
    [
      tensor('gone', 'F32', [1]),
      tensor('shape', 'F32', [2]),
      tensor('type', 'F32', [3]),
      tensor('same', 'F16', [4]),
    ],
    [
      tensor('shape', 'F16', [3]),
      tensor('type', 'F16', [3]),
      tensor('same', 'F16', [4]),
      tensor('new', 'F32', []),
    ],
  );
  expect(changes.map(({ name, change }) => `${name} ${change}`)).toEqual([
    'gone removed',
    'shape shape',
    'type type',
    'new added',
  ]);
  expect(undecided.map(([{ name }]) => name)).toEqual(['same']);
});
