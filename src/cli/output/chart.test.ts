import { expect, test } from 'vitest';
import { chart, numberText } from './chart.ts';

function draw(values: readonly number[], places = values.map((_, index) => index), width = 24): string[] {
  return chart({ places, values, width, height: 2, place: String });
}

test('a line falls from its highest to its lowest, with both named and the ends of its axis below', () => {
  expect(draw([8, 7, 6, 5, 4, 3, 2, 1])).toEqual([
    '8 ┤⠉⠉⠒⠒⠒⠤⠤⠤⣀⣀⡀',
    '1 ┤          ⠈⠉⠉⠑⠒⠒⠢⠤⠤⢄⣀',
    '   0                   7',
  ]);
});

test('rising goes up and falling goes down', () => {
  const column = (line: string | undefined) =>
    (line ?? '').indexOf([...(line ?? '')].find((c) => c > '⠀' && c <= '⣿') ?? '');
  const [top, bottom] = draw([1, 2, 3, 4]);
  expect(column(top)).toBeGreaterThan(column(bottom));
  const [high, low] = draw([4, 3, 2, 1]);
  expect(column(high)).toBeLessThan(column(low));
});

test('what never changes is one line; one point, or none that is a number, is no line at all', () => {
  expect(draw([5, 5, 5])).toHaveLength(2);
  expect(draw([5])).toEqual([]);
  expect(draw([Number.NaN, Number.POSITIVE_INFINITY])).toEqual([]);
  expect(draw([])).toEqual([]);
});

test('NaN and infinities are gaps that the line goes over', () => {
  const over = draw([1, 3], [0, 2]);
  expect(draw([1, Number.NaN, 3])).toEqual(over);
  expect(draw([1, Number.NEGATIVE_INFINITY, 3])).toEqual(over);
});

test('numbers of any size, many points, and points at one place are drawn within the width', () => {
  const lines = [
    ...draw([1e308, -1e308, 0]),
    ...draw(Array.from({ length: 100_000 }, (_, index) => Math.sin(index / 5000))),
    ...draw([1, 2], [3, 3]),
    ...draw([1, 2, 3], [Number.NaN, 1, 2]),
  ];
  expect(lines.every((line) => line.length <= 24 + 8)).toBe(true);
  expect(lines.join('')).not.toMatch(/NaN|undefined/);
});

test('a spike in many points is seen', () => {
  const flat = Array.from({ length: 50_000 }, () => 1);
  flat[25_000] = 9;
  const [top] = draw(flat);
  expect(top).toMatch(/^9 ┤ +[⠁-⣿]$/);
});

test.each([
  [0, '0'],
  [1234567, '1234567'],
  [0.123456, '0.1235'],
  [1e-7, '1e-7'],
  [0.00001234567, '1.23e-5'],
  [123456789, '1.235e+8'],
  [-0.5, '-0.5'],
])('%d is written %s', (value, text) => {
  expect(numberText(value)).toBe(text);
});
