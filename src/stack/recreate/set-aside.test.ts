import { expect, test } from 'vitest';
import { containerId } from '../test-stack.ts';
import { asideName, failedName, isAside, isFailed } from './set-aside.ts';

const id = containerId('a5559cc38d9d');

test('a mark is known by the name and the id of its own container', () => {
  expect(isAside({ id, name: asideName('ollama', id) })).toBe(true);
  expect(isFailed({ id, name: failedName('ollama', id) })).toBe(true);
  expect(isAside({ id, name: 'a5559cc38d9d_ollama.aside-a5559cc38d9d' })).toBe(true);
});

test.each([
  'ollama',
  'ollama.aside',
  'ollama.aside-',
  'ollama.aside-0123456789ab',
  'ollama.aside-a5559cc38d9',
  'ollama-aside-a5559cc38d9d',
  'ollama.aside-a5559cc38d9d-2',
  'a5559cc38d9d_ollama',
  'ollama.before-aixcl-a5559cc38d9d',
])('%s is no mark', (name) => {
  expect(isAside({ id, name })).toBe(false);
  expect(isFailed({ id, name })).toBe(false);
});
