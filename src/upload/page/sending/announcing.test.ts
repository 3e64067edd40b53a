import { expect, test } from 'vitest';
import { uploadWith } from '../test-state.ts';
import { announces } from './announcing.ts';

const sender = {
  id: null,
  file: { size: 100 },
  metadata: { filename: 'tea.gguf' },
  view: { value: { phase: 'sending' } },
} as const;
const upload = uploadWith({ received: 0 });

test('an upload that this tab asked for a moment ago is its own before it is told so', () => {
  expect(announces(sender, upload)).toBe(true);
  const part = { ...sender, metadata: { filename: 'mmproj.gguf', model: 'tea' } };
  expect(announces(part, uploadWith({ received: 0, file: 'mmproj.gguf', model: 'tea' }))).toBe(true);
});

test.each([
  ['of another file', { file: 'milk.gguf', model: 'milk.gguf' }],
  ['of another model', { model: 'tea' }],
  ['of another size', { size: 99 }],
  ['that has bytes', { received: 1 }],
])('one %s is not', (_what, other) => {
  expect(announces(sender, { ...upload, ...other })).toBe(false);
});

test('who has an id, or did not ask yet, asks for none', () => {
  expect(announces({ ...sender, id: 'u2' }, upload)).toBe(false);
  expect(announces({ ...sender, view: { value: { phase: 'waiting' } } }, upload)).toBe(false);
});
