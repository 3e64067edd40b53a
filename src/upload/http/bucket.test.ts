import { expect, test } from 'vitest';
import { Bucket } from './bucket.ts';

test('so many at once, then so many a second; who is refused hears how long to wait', () => {
  let now = 0;
  const bucket = new Bucket(3, 0.5, () => now);
  expect([bucket.take(), bucket.take(), bucket.take(), bucket.take()]).toEqual([0, 0, 0, 2]);
  now += 1000;
  expect(bucket.take()).toBe(1);
  now += 1000;
  expect([bucket.take(), bucket.take()]).toEqual([0, 2]);
  now += 3_600_000;
  expect([bucket.take(), bucket.take(), bucket.take(), bucket.take()]).toEqual([0, 0, 0, 2]);
});
