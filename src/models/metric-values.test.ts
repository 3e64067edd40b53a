import { expect, test } from 'vitest';
import { metricValues } from './metric-values.ts';

test('numbers keep every digit that they were written with', () => {
  const document = '{"loss": 0.10000000000000001, "n": 12345678901234567890, "a": {"b": [1.0, -1E-400]}}';
  expect(metricValues(document)).toEqual([
    { name: 'loss', text: '0.10000000000000001' },
    { name: 'n', text: '12345678901234567890' },
    { name: 'a.b.0', text: '1.0' },
    { name: 'a.b.1', text: '-1E-400' },
  ]);
});

test('what is no number is itself, also where it looks like one', () => {
  expect(metricValues('{"a": "1.50", "b\\"2": "NaN 3", "c": NaN, "d": [-Infinity, null, true]}')).toEqual([
    { name: 'a', text: '"1.50"' },
    { name: 'b"2', text: '"NaN 3"' },
    { name: 'c', text: 'NaN' },
    { name: 'd.0', text: '-Infinity' },
    { name: 'd.1', text: 'null' },
    { name: 'd.2', text: 'true' },
  ]);
});

test('a document may be one value, deep, or none at all', () => {
  expect(metricValues('0.50')).toEqual([{ name: 'value', text: '0.50' }]);
  expect(metricValues(`${'['.repeat(2000)}7${']'.repeat(2000)}`)[0]?.text).toBe('7');
  expect(metricValues('no json')).toEqual([]);
});
