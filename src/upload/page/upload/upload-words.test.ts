import { expect, test } from 'vitest';
import { beginCourse, observe } from '../sending/course.ts';
import type { Sending } from '../sending/sender.ts';
import { uploadWith } from '../test-state.ts';
import { phaseText, sendingText } from './upload-words.ts';

const view = (more: Partial<Sending>): Sending => ({
  phase: 'sending',
  sent: 2e9,
  course: observe(beginCourse(1.98e9, 0), 2e9, 1000),
  problem: null,
  ended: null,
  ...more,
});

test('bytes, rate and time left are told of what is sent', () => {
  expect(sendingText(view({}), 4e9, 1000)).toBe('2 of 4 GB, 20 MB/s, 1 m 40 s left');
});

test('a stall promises nothing', () => {
  expect(sendingText(view({}), 4e9, 10_000)).toBe('2 of 4 GB');
});

test.each([
  ['waiting', /waits for its turn/],
  ['paused', /paused/],
  ['retrying', /goes on by itself/],
  ['sent', /^4 GB sent$/],
] as const)('%s is said in words', (phase, words) => {
  expect(sendingText(view({ phase }), 4e9, 1000)).toMatch(words);
});

test('what nobody sends asks for its file, what another sends does not', () => {
  expect(phaseText(uploadWith(), 'here')).toMatch(/Choose the same file/);
  expect(phaseText(uploadWith(), 'elsewhere')).toMatch(/another tab/);
  expect(phaseText(uploadWith(), 'beginner')).toMatch(/go on there/);
});

test('checking tells how far it is', () => {
  expect(phaseText(uploadWith({ phase: 'checking', checked: 50 }), 'here')).toBe('Checking, 50 %');
});

test('parts tell what they wait for', () => {
  expect(phaseText(uploadWith({ phase: 'parts', parts: { count: 3, whole: 2 } }), 'here')).toMatch(
    /2 of 3 files/,
  );
  const all = uploadWith({ phase: 'parts', parts: { count: 2, whole: 2 } });
  expect(phaseText(all, 'here')).toMatch(/waits for the others/);
});
