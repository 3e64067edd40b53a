/** What fault tests import. */
import { test } from 'vitest';
import { obstacleVariable } from './setup.ts';

export { noiseOf } from '../../setup/noisy-model.ts';
export { type Run, type RunOptions, startAixcl } from './aixcl.ts';
export { bind, loopDisk, rot, tmpfs, tool } from './disks.ts';
export { type FaultHome, faultHome, writeModel } from './fault-home.ts';
export { changingCalls, type Injection, type Point, pointsOf } from './inject.ts';
export * from './oracle.ts';

const obstacle = process.env[obstacleVariable];

/** Sweep every step (`npm run test:faults`), or some of them. */
export const sweepAll = process.env.AIXCL_FAULTS === 'all';

/** `test`, skipped with the reason where faults can't be made. */
export function faultTest(name: string, body: () => Promise<void>, timeoutMs?: number): void {
  test.skipIf(obstacle)(obstacle ? `${name} (skipped: ${obstacle})` : name, body, timeoutMs);
}

/** All of `items`, or so many of them, evenly spread; always the first and the last. */
export function some<T>(items: readonly T[], count: number): readonly T[] {
  if (sweepAll || items.length <= count) return items;
  return Array.from(
    { length: count },
    (_, index) => items[Math.round((index * (items.length - 1)) / (count - 1))] as T,
  );
}
