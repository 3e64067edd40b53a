import { expect, test } from 'vitest';
import { ago, bytes, duration } from './quantity.ts';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1 kB'],
  [1_234_567_890, '1.23 GB'],
  [null, '-'],
  [undefined, '-'],
])('%s bytes are %s', (count, text) => {
  expect(bytes(count)).toBe(text);
});

test.each([
  [0, '0 ms'],
  [850, '850 ms'],
  [999.6, '1.0 s'],
  [1000, '1.0 s'],
  [9940, '9.9 s'],
  [9960, '10 s'],
  [12_400, '12 s'],
  [59_700, '1 m 0 s'],
  [200_000, '3 m 20 s'],
  [3_599_700, '1 h 0 m'],
  [7_500_000, '2 h 5 m'],
])('%s ms are %s', (milliseconds, text) => {
  expect(duration(milliseconds)).toBe(text);
});

const now = new Date('2026-01-31T12:00:00Z');
test.each([
  [0, '0 seconds ago'],
  [1, '1 second ago'],
  [59, '59 seconds ago'],
  [60, '1 minute ago'],
  [7199, '1 hour ago'],
  [86_400 * 6, '6 days ago'],
  [86_400 * 7, '1 week ago'],
  [86_400 * 59, '1 month ago'],
  [86_400 * 800, '2 years ago'],
  [-30, '0 seconds ago'],
])('%s s back is %s', (seconds, text) => {
  expect(ago(new Date(now.getTime() - seconds * 1000), now)).toBe(text);
});
