import { expect, test } from 'vitest';
import { uploadWith } from '../test-state.ts';
import { fingerprintOf } from './remembered.ts';
import { otherFile } from './same-file.ts';

const file = { name: 'tea.gguf', size: 100, lastModified: 1 };
const upload = uploadWith();

test('the file that it was begun with goes on', () => {
  expect(otherFile(file, upload, fingerprintOf(file))).toBeNull();
});

test('a file uploaded under another name goes on under its own', () => {
  expect(otherFile(file, { ...upload, file: 'tea-2.gguf' }, fingerprintOf(file))).toBeNull();
});

test('a file that was changed since does not', () => {
  expect(otherFile({ ...file, lastModified: 2 }, upload, fingerprintOf(file))).toMatch(/was changed/);
});

test('another name or size does not', () => {
  expect(otherFile({ ...file, name: 'milk.gguf' }, upload, fingerprintOf(file))).toMatch(/called milk/);
  expect(otherFile({ ...file, size: 99 }, upload, null)).toMatch(/another size/);
});

test('begun elsewhere, only a sha256 can tell', () => {
  expect(otherFile(file, upload, null)).toMatch(/another browser/);
  expect(otherFile(file, { ...upload, sha256: 'a'.repeat(64) }, null)).toBeNull();
});
