import { expect, test } from 'vitest';
import { apart, propose } from './grouping.ts';

const files = (...names: string[]) => names.map((name) => ({ name, size: 1 }));
const shown = (...names: string[]) =>
  propose(files(...names)).map(({ kind, name, files, parts }) => `${kind} ${name} ${files.length}/${parts}`);

test('each file is a model of its own', () => {
  expect(shown('tea.gguf', 'milk.gguf')).toEqual(['file tea.gguf 1/1', 'file milk.gguf 1/1']);
});

test('shards are one model, in a folder named for what they share', () => {
  expect(shown('big-00001-of-00002.gguf', 'big-00002-of-00002.gguf')).toEqual(['shards big 2/2']);
});

test('of missing shards is known how many there are', () => {
  expect(shown('big-00002-of-00003.gguf')).toEqual(['shards big 1/3']);
});

test('shards of two models stay two models', () => {
  expect(shown('a-00001-of-00002.gguf', 'b-00001-of-00002.gguf')).toEqual(['shards a 1/2', 'shards b 1/2']);
});

test('an encoder goes with the one model that it was chosen with', () => {
  expect(shown('gemma.gguf', 'mmproj-gemma.gguf')).toEqual(['pair gemma 2/2']);
  expect(shown('gemma-mmproj-f16.gguf', 'gemma.gguf')).toEqual(['pair gemma 2/2']);
  expect(shown('mmproj.gguf', 'big-00001-of-00002.gguf', 'big-00002-of-00002.gguf')).toEqual([
    'shards big 3/3',
  ]);
});

test('beside several models an encoder stays by itself', () => {
  expect(shown('a.gguf', 'b.gguf', 'mmproj-a.gguf')).toEqual([
    'file a.gguf 1/1',
    'file b.gguf 1/1',
    'file mmproj-a.gguf 1/1',
  ]);
});

test('a file that is chosen twice is sent once', () => {
  expect(shown('tea.gguf', 'tea.gguf')).toEqual(['file tea.gguf 1/1']);
});

test('a pair can be taken apart', () => {
  const [pair] = propose(files('gemma.gguf', 'mmproj-gemma.gguf'));
  expect(apart(pair!).map(({ name }) => name)).toEqual(['gemma.gguf', 'mmproj-gemma.gguf']);
});
