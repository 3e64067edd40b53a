import { expect, test } from 'vitest';
import type { Removal } from '../../api.ts';
import { modelWith } from '../test-state.ts';
import { badgesOf, sourceOf, takingOf } from './model-words.ts';

test('what a model is to llama-server, and what is wrong with it, is marked', () => {
  expect(badgesOf(modelWith())).toEqual([]);
  expect(badgesOf(modelWith({ active: true, standing: 'active' }))).toEqual(['active']);
  expect(badgesOf(modelWith({ active: true, standing: 'loading' }))).toEqual(['loading']);
  expect(badgesOf(modelWith({ standing: 'asked' }))).toEqual(['asked for']);
  expect(badgesOf(modelWith({ role: 'projector', damage: 'it is cut' }))).toEqual(['damaged', 'projector']);
});

test('a source is told by its host', () => {
  expect(sourceOf('https://models.example/a/b.gguf')).toBe('models.example');
  expect(sourceOf('hf.co/user/repo')).toBe('hf.co');
  expect(sourceOf('uploaded')).toBe('uploaded');
  expect(sourceOf(null)).toBe('–');
});

test('how the vault takes what goes is said', () => {
  const removal = (takes: Removal['takes']) => takingOf({ takes } as Removal);
  expect(removal({ linked: 2e9, copied: 0, had: 0 })).toBe(
    'The vault takes over 2 GB as they are: nothing is copied.',
  );
  expect(removal({ linked: 0, copied: 1e9, had: 5e8 })).toBe(
    'The vault copies 1 GB, and has 500 MB already.',
  );
});
