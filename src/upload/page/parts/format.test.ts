import { expect, test } from 'vitest';
import { ago, bytes, bytesOf, parameters, percent, timeLeft } from './format.ts';

test('sizes are those that the command line prints', () => {
  expect(bytes(1_234_567_890)).toBe('1.23 GB');
  expect(bytes(0)).toBe('0 B');
});

test('what is done of a size shares its unit, or has one of its own', () => {
  expect(bytesOf(3_200_000_000, 40e9)).toBe('3.2 of 40 GB');
  expect(bytesOf(512_000, 40e9)).toBe('512 kB of 40 GB');
});

test.each([
  [135_000_000, '135M'],
  [7_240_000_000, '7.2B'],
  [14_800_000_000, '15B'],
  [1_200_000_000_000, '1.2T'],
])('%i parameters are %s', (weights, text) => {
  expect(parameters(weights)).toBe(text);
});

test('a hundred percent is said only of the whole', () => {
  expect(percent(999_999, 1_000_000)).toBe(99);
  expect(percent(1_000_000, 1_000_000)).toBe(100);
  expect(percent(0, 0)).toBe(0);
});

test.each([
  [0.2, '1 s'],
  [12.4, '12 s'],
  [200, '3 m 20 s'],
  [7500, '2 h 5 m'],
])('%d seconds are left as %s', (seconds, text) => {
  expect(timeLeft(seconds)).toBe(text);
});

test.each([
  ['2026-01-01T11:59:30Z', 'just now'],
  ['2026-01-01T11:57:00Z', '3 minutes ago'],
  ['2026-01-01T11:59:00Z', '1 minute ago'],
  ['2025-12-30T11:00:00Z', '2 days ago'],
  ['2026-01-31T12:00:00Z', 'in 1 month'],
])('%s is %s at noon of the first of January', (time, text) => {
  expect(ago(new Date(time), new Date('2026-01-01T12:00:00Z'))).toBe(text);
});
