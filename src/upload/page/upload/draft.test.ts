import { expect, test } from 'vitest';
import { modelWith, stateWith, uploadWith } from '../test-state.ts';
import {
  type Draft,
  draftOf,
  faultsOf,
  metadataOf,
  nameFault,
  nameLike,
  nameOf,
  roomFor,
  takerOf,
} from './draft.ts';
import { propose } from './grouping.ts';

const hash = 'ab'.repeat(32);
const draft = (more: Partial<Draft> = {}, ...names: string[]): Draft => {
  const files = (names.length > 0 ? names : ['tea.gguf']).map((name) => ({ name, size: 1e9 }));
  return { ...draftOf(propose(files)[0]!), ...more };
};
const faults = (one: Draft, state = stateWith(), others: Draft[] = []) =>
  faultsOf(one, [one, ...others], state);

test('a free name needs no answer', () => {
  expect(faults(draft())).toEqual({});
});

test('a name that a model has wants an answer before anything is sent', () => {
  const state = stateWith({ models: [modelWith()] });
  expect(faults(draft(), state).answer).toBeDefined();
  for (const answer of ['replace', 'rename', 'skip'] as const) {
    expect(faults(draft({ answer }), state)).toEqual({});
  }
});

test("Ollama's names are others", () => {
  expect(takerOf(draft(), 'tea.gguf', stateWith({ models: [modelWith({ runtime: 'ollama' })] }))).toBeNull();
});

test('another name is one that is free', () => {
  const state = stateWith({ models: [modelWith(), modelWith({ name: 'tea-2.gguf' })] });
  expect(nameOf(draft({ answer: 'rename' }))).toBe('tea-2.gguf');
  expect(faults(draft({ answer: 'rename' }), state).name).toMatch(/taken, too/);
});

test('two that are sent together have two names', () => {
  const other = draft({}, 'milk.gguf');
  const same = draft({ answer: 'rename', newName: 'milk.gguf' });
  expect(faults(same, stateWith(), [other]).name).toMatch(/two of these/);
  expect(faults(same, stateWith(), [{ ...other, answer: 'skip' }])).toEqual({});
});

test('an upload under way has its name; parts of one model join it', () => {
  const file = stateWith({ uploads: [uploadWith()] });
  expect(takerOf(draft(), 'tea.gguf', file)).toMatchObject({ kind: 'upload' });
  const shard = draft({}, 'big-00002-of-00002.gguf');
  const waiting = uploadWith({
    model: 'big',
    file: 'big-00001-of-00002.gguf',
    parts: { count: 2, whole: 1 },
  });
  expect(takerOf(shard, 'big', stateWith({ uploads: [waiting] }))).toBeNull();
  const same = { ...waiting, file: 'big-00002-of-00002.gguf' };
  expect(takerOf(shard, 'big', stateWith({ uploads: [same] }))).toMatchObject({ kind: 'upload' });
});

test.each([
  ['', 'empty'],
  ['a/b.gguf', 'slash'],
  ['.a.gguf', 'dot'],
  ['-rf.gguf', 'dash'],
  ['a\nb.gguf', 'control'],
  [' a.gguf', 'space'],
  [`${'é'.repeat(130)}.gguf`, '255'],
  ['a.bin', '.gguf'],
  ['A.GGUF', 'small letters'],
  ['a\u202eb.gguf', 'does not show'],
  ['a\ufffd.gguf', 'UTF-8'],
  ['current.gguf', 'link'],
])('the name %j is refused, and one like it that is not is there', (name, why) => {
  expect(nameFault(name, true)).toContain(why);
  expect(nameFault(nameLike(name, true), true)).toBeNull();
});

test.each([`My "best" model (v2) – größe.gguf`, `it's a 模型 🚀.gguf`, 'a\\b?.gguf'])(
  'the name %j stays as it is',
  (name) => {
    expect(nameFault(name, true)).toBeNull();
    expect(nameLike(name, true)).toBe(name);
  },
);

test('a file whose name none can have goes under another one, which can be changed', () => {
  const renamed = draft({}, '-A\u202e.GGUF');
  expect(renamed).toMatchObject({ answer: 'rename', newName: 'A.gguf' });
  expect(faults(renamed)).toEqual({});
  expect(metadataOf(renamed, renamed.proposal.files[0]!)).toEqual({ filename: 'A.gguf' });
  expect(faults({ ...renamed, newName: 'a/b.gguf' }).name).toContain('slash');
});

test('parts whose names none can have go under names like theirs', () => {
  const pair = draft({}, 'a\u202e.gguf', 'mmproj-a.GGUF');
  expect(pair.name).toBe('a');
  expect(pair.proposal.files.map((file) => metadataOf(pair, file).filename)).toEqual([
    'a.gguf',
    'mmproj-a.gguf',
  ]);
});

test('a sha256 is taken as tools print it, and wrong ones are said', () => {
  const given = draft({ sha256: { 'tea.gguf': ` sha256:${hash.toUpperCase()}` } });
  expect(metadataOf(given, given.proposal.files[0]!)).toEqual({ filename: 'tea.gguf', sha256: hash });
  const printed = draft({ sha256: { 'tea.gguf': `${hash}  tea.gguf\n` } });
  expect(metadataOf(printed, printed.proposal.files[0]!)).toMatchObject({ sha256: hash });
  for (const wrong of ['abc', `${hash}00`]) {
    expect(faults(draft({ sha256: { 'tea.gguf': wrong } })).sha256).toHaveProperty(['tea.gguf']);
  }
  expect(faults(draft({ sha256: { 'tea.gguf': '' } }))).toEqual({});
});

test('files of one model tell its name and how many they are', () => {
  const pair = draft({ name: 'vision' }, 'gemma.gguf', 'mmproj-gemma.gguf');
  expect(metadataOf(pair, pair.proposal.files[1]!)).toEqual({
    filename: 'mmproj-gemma.gguf',
    model: 'vision',
    parts: '2',
  });
});

test('each file of a model of several has a sha256 of its own, and only one that is wrong is named', () => {
  const names = ['big-00001-of-00002.gguf', 'big-00002-of-00002.gguf'] as const;
  const big = draft({ sha256: { [names[1]]: hash } }, ...names);
  expect(faults(big)).toEqual({});
  const [first, second] = big.proposal.files.map((file) => metadataOf(big, file));
  expect(first).not.toHaveProperty('sha256');
  expect(second).toMatchObject({ filename: names[1], sha256: hash });
  const wrong = { ...big, sha256: { [names[0]]: 'abc', [names[1]]: hash } };
  expect(Object.keys(faults(wrong).sha256 ?? {})).toEqual([names[0]]);
});

test('consent to replace is told', () => {
  const agreed = draft({ answer: 'replace' });
  expect(metadataOf(agreed, agreed.proposal.files[0]!)).toEqual({ filename: 'tea.gguf', replace: 'yes' });
});

test('room counts what is still to come of other uploads, and nothing of what is left out', () => {
  const state = stateWith({ uploads: [uploadWith({ size: 30e9, received: 10e9 })] });
  const room = roomFor([draft(), draft({ answer: 'skip' }, 'milk.gguf')], state);
  expect(room).toEqual({ needed: 1e9, free: 80e9, total: 500e9 });
});
