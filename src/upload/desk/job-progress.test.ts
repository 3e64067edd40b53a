import { expect, test } from 'vitest';
import { working } from '../../wiring/working.ts';
import type { PageJob } from '../api.ts';
import { Jobs } from '../jobs.ts';
import { progressIn } from './job-progress.ts';

test('bytes that are worth showing are told in the job that has them done, under what they are for', async () => {
  const seen: Pick<PageJob, 'detail' | 'done' | 'total'>[] = [];
  const jobs: Jobs = new Jobs(() => {
    const { detail, done, total } = jobs.list()[0]!;
    seen.push({ detail, done, total });
  });
  const { signal } = new AbortController();
  jobs.start('verify', 'b0001', async (report) => {
    const place = { progress: progressIn(report), signal };
    await working(place, 'Hashing b0001', 1e9, async ({ onProgress }) => onProgress?.(4e8));
    return { detail: 'right' };
  });
  await jobs.settled();
  expect(seen).toContainEqual({ detail: 'Hashing b0001', done: 4e8, total: 1e9 });
  expect(seen.at(-1)).toEqual({ detail: 'right', done: 1e9, total: 1e9 });
});
