import { expect, test } from 'vitest';
import { paintFor } from './paint.ts';
import { table } from './table.ts';

const columns = [
  { title: 'name', value: (row: { name: string; size: string }) => row.name },
  { title: 'size', value: (row: { name: string; size: string }) => row.size, align: 'right' as const },
];

test('columns stand under their heads, three spaces apart, without anything at the end of a line', () => {
  const rows = [
    { name: 'qwen3-trading.gguf', size: '1 GB' },
    { name: 'a', size: '100 kB' },
  ];
  expect(table(rows, columns)).toBe(
    ['NAME                   SIZE', 'qwen3-trading.gguf     1 GB', 'a                    100 kB'].join('\n'),
  );
});

test('without rows the heads stand alone', () => {
  expect(table([], columns)).toBe('NAME   SIZE');
});

test('colours take no room', async () => {
  const paint = await paintFor({ isTTY: true }, {}, true);
  const plain = table([{ name: 'abc', size: '1' }], columns);
  const coloured = table([{ name: paint.good('abc'), size: '1' }], columns);
  expect(coloured).not.toBe(plain);
  expect(coloured.replaceAll('\x1b[32m', '').replaceAll('\x1b[39m', '')).toBe(plain);
});
