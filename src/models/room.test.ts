import { expect, test } from 'vitest';
import { type Need, roomFor } from './room.ts';

const need = (place: string, bytes: number, free: number, total = 1000): Need => ({
  place,
  bytes,
  space: { free, total },
});

function printed(...needs: Need[]): string[] {
  return roomFor(needs).map(
    ({ places, needed, left, tight }) => `${places.join('+')} ${needed} ${left}${tight ? ' tight' : ''}`,
  );
}

test('less than a tenth of the disk left is tight; nothing to bring in never is', () => {
  expect(printed(need('a', 100, 199))).toEqual(['a 100 99 tight']);
  expect(printed(need('a', 100, 200))).toEqual(['a 100 100']);
  expect(printed(need('a', 100, 50))).toEqual(['a 100 -50 tight']);
  expect(printed(need('a', 0, 1))).toEqual([]);
});

test('what comes to one disk is counted together, and a disk that nobody can ask is none', () => {
  expect(printed(need('a', 100, 500), need('b', 200, 500), need('c', 10, 400))).toEqual([
    'a+b 300 200',
    'c 10 390',
  ]);
  expect(printed({ place: 'v', bytes: 10, space: null })).toEqual([]);
});
