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
