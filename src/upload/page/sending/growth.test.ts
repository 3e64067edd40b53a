import { expect, test } from 'vitest';
import { Growth } from './growth.ts';

test('an upload that grows is sent by somebody, until it was silent for a while', () => {
  const growth = new Growth();
  growth.see([{ id: 'a', received: 10 }], 0);
  expect(growth.grows('a', 0)).toBe(false);
  growth.see([{ id: 'a', received: 20 }], 1000);
  expect(growth.grows('a', 2000)).toBe(true);
  growth.see([{ id: 'a', received: 20 }], 10_000);
  expect(growth.grows('a', 16_001)).toBe(false);
});

test('one that was begun a moment ago is sent by somebody before its first byte counts', () => {
  const growth = new Growth();
  growth.see([{ id: 'a', received: 0 }], 0);
  growth.see(
    [
      { id: 'a', received: 0 },
      { id: 'b', received: 0 },
    ],
    1000,
  );
  expect(growth.grows('a', 1000)).toBe(false);
  expect(growth.grows('b', 2000)).toBe(true);
  expect(growth.grows('b', 16_001)).toBe(false);
});
