import { expect, test } from 'vitest';
import { theOperation } from './the-operation.ts';

const operations = ['20260131t120000-1f3a9c', '20260131t120000-1f3b00', '20260201t120000-aa3a9c'].map(
  (id) => ({ id }),
);

test.each([
  ['20260131t120000-1f3b00', 1],
  ['1f3a9c', 0],
  ['20260201', 2],
])('an operation is named by its id, its beginning or its end: %s', (text, index) => {
  expect(theOperation(operations, text)).toBe(operations[index]);
});

test('what names several, or none, is an error that says so', () => {
  expect(() => theOperation(operations, '3a9c')).toThrow('2 operations could be "3a9c"');
  expect(() => theOperation(operations, 'x')).toThrow('no operation "x"');
});
