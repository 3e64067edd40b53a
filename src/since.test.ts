import { expect, test } from 'vitest';
import { sinceSeconds } from './since.ts';

const now = Date.parse('2026-01-31T12:00:00Z');

test.each([
  ['1700000000', 1_700_000_000],
  ['1700000000.5', 1_700_000_000.5],
  ['10s', now / 1000 - 10],
  ['1h30m', now / 1000 - 5400],
  ['1.5h', now / 1000 - 5400],
  ['2d', now / 1000 - 172_800],
  ['2026-01-31T11:00:00Z', now / 1000 - 3600],
  ['2026-01-31T12:00:00+01:00', now / 1000 - 3600],
])('%s', (text, seconds) => {
  expect(sinceSeconds(text, now)).toBe(seconds);
});

test("a date, and a time without a zone, are this machine's", () => {
  expect(sinceSeconds('2026-01-31', now)).toBe(new Date(2026, 0, 31).getTime() / 1000);
  expect(sinceSeconds('2026-01-31T06:00:00', now)).toBe(new Date(2026, 0, 31, 6).getTime() / 1000);
});

test.each(['yesterday', '-10m', '10 m', ''])('"%s" is refused, never guessed at', (text) => {
  expect(() => sinceSeconds(text, now)).toThrow(expect.objectContaining({ code: 'usage' }));
});
