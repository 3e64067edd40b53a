import { describe, expect, test } from 'vitest';
import { halfFloats } from '../../../../test/setup/half-floats.ts';
import { kernel } from './kernel.ts';

/** What of WebAssembly the tests use; Node's own types leave it out. */
declare const WebAssembly: {
  Memory: new (wish: { initial: number }) => { buffer: ArrayBuffer };
  Module: new (bytes: Uint8Array) => object;
  Instance: new (
    module: object,
    imports: object,
  ) => { exports: Record<string, (...args: number[]) => number> };
};

const memory = new WebAssembly.Memory({ initial: 64 });
const { exports: run } = new WebAssembly.Instance(new WebAssembly.Module(kernel()), { env: { memory } });
const halves = new Uint16Array(memory.buffer);
const words = new Uint32Array(memory.buffer);
const floats = new Float32Array(memory.buffer);
const other = 2 ** 20;

describe.each(['F16', 'BF16'] as const)('%s', (type) => {
  const { bits, value } = halfFloats[type];

  test('all 65536 are read as what they are, and written again as they were', () => {
    for (let half = 0; half < 65536; half++) halves[half] = half;
    const special = run[`decode${type}`]!(0, other, 65536);
    expect(special).toBe(type === 'F16' ? 2 * 1024 : 2 * 128);
    for (let half = 0; half < 65536; half++) {
      const got = floats[other / 4 + half]!;
      if (!Object.is(got, value(half))) throw new Error(`${half.toString(16)} is read as ${got}`);
    }
    halves.fill(0, 0, 65536);
    expect(run[`encode${type}`]!(other, 0, 65536)).toBe(special);
    for (let half = 0; half < 65536; half++) {
      const wanted = Number.isNaN(value(half)) ? undefined : half;
      const got = halves[half]!;
      const right = wanted === undefined ? Number.isNaN(value(got)) : got === wanted;
      if (!right) throw new Error(`${half.toString(16)} became ${got.toString(16)}`);
    }
  });

  test('between two neighbours the nearer is taken, and the even one in the middle', () => {
    const step = type === 'F16' ? 1 << 13 : 1 << 16;
    const wishes: number[] = [];
    for (let half = 0; half < 65536; half++) {
      floats[0] = value(half);
      for (const beside of [-1, 0, 1]) wishes.push((words[0]! + step / 2 + beside) >>> 0);
    }
    for (let from = 0; from < wishes.length; from += 65536) {
      const some = wishes.slice(from, from + 65536);
      for (const [index, word] of some.entries()) words[other / 4 + index] = word;
      run[`encode${type}`]!(other, 0, some.length);
      for (const index of some.keys()) {
        const number = floats[other / 4 + index]!;
        const [got, wanted] = [halves[index]!, bits(number)];
        const right = Number.isNaN(number) ? Number.isNaN(value(got)) : got === wanted;
        if (!right) throw new Error(`${number} became ${got.toString(16)}, not ${wanted.toString(16)}`);
      }
    }
  });

  test('what lies anywhere in F32 is rounded as by plain arithmetic', () => {
    const count = 65536;
    for (let round = 0; round < 4; round++) {
      for (let index = 0; index < count; index++) {
        words[other / 4 + index] = Math.imul(index + round * count, 0x9e3779b1) >>> 0;
      }
      run[`encode${type}`]!(other, 0, count);
      for (let index = 0; index < count; index++) {
        const number = floats[other / 4 + index]!;
        const [got, wanted] = [halves[index]!, bits(number)];
        const right = Number.isNaN(number) ? Number.isNaN(value(got)) : got === wanted;
        if (!right) throw new Error(`${number} became ${got.toString(16)}, not ${wanted.toString(16)}`);
      }
    }
  });
});

test('infinite numbers and those that are none are counted, among F32 too', () => {
  floats.set([1, Number.NaN, -3, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 0, 3e38, 1e-45]);
  expect(run.countF32!(0, 8)).toBe(3);
});

test('a count that is no multiple of four is rounded up to one', () => {
  floats.fill(9, 0, 64);
  halves.fill(0x3f80, 64, 80);
  expect(run.decodeBF16!(128, 0, 5)).toBe(0);
  expect([...floats.subarray(0, 9)]).toEqual([...new Array(8).fill(1), 9]);
});

test.each([
  { rows: 1, columns: 4, rank: 1 },
  { rows: 4, columns: 8, rank: 3 },
  { rows: 5, columns: 12, rank: 16 },
  { rows: 11, columns: 20, rank: 2 },
])('a product of $rows x $rank x $columns is added to what is there', ({ rows, columns, rank }) => {
  const [wide, right, left] = [0, 4096, 8192];
  const random = (index: number) => Math.fround(Math.sin(index * 12.9898) * 3);
  const before = Float32Array.from({ length: rows * columns }, (_, index) => random(index));
  floats.fill(7, 0, 16384);
  floats.set(before, wide);
  for (let index = 0; index < rank * columns; index++) floats[right + index] = random(index + 1000);
  for (let index = 0; index < rows * rank; index++) floats[left + index] = random(index + 2000);
  run.addProduct!(4 * wide, columns, rows, 4 * right, rank, 4 * left, 0, columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = before[row * columns + column]!;
      for (let k = 0; k < rank; k++) {
        sum += floats[left + row * rank + k]! * floats[right + k * columns + column]!;
      }
      expect(floats[wide + row * columns + column]).toBeCloseTo(sum, 4);
    }
  }
  expect(floats[wide + rows * columns]).toBe(7);
});

test('of the columns only those in range are added to', () => {
  floats.fill(1, 0, 4096);
  run.addProduct!(0, 32, 2, 4096, 1, 8192, 8, 20);
  const touched = [...floats.subarray(0, 64).keys()].filter((index) => floats[index] !== 1);
  expect(touched).toEqual(
    [0, 32].flatMap((row) => Array.from({ length: 12 }, (_, index) => row + 8 + index)),
  );
});
