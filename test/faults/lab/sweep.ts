import { join } from 'node:path';
import { expect } from 'vitest';
import { type FaultHome, type Injection, type Point, pointsOf, type Run, some } from './fault-test.ts';

/** A command that is interfered with, at one point of its way after the other. */
export interface Scenario {
  readonly home: FaultHome;
  readonly args: readonly string[];
  /** Brings the home to where the command has all of its work to do; called before each run. */
  prepare(): Promise<void>;
  /** Throws unless the home is in the old state or in the new one, and nothing of either is lost. */
  assertOldOrNew(): Promise<void>;
  /** Throws unless the command's work is done. */
  assertNew(): Promise<void>;
  /** Exit codes of the command when its work was done by the run before: 0 unless it says so. */
  readonly doneAlready?: readonly number[];
}

export interface Interference {
  /** Points at which it is done, out of those where the command changes a file. */
  readonly count: number;
  readonly at?: (point: Point) => boolean;
  inject(point: Point): Injection;
  /** Done right after the run that was interfered with. */
  after?(): void;
  /** Exit codes of a run that this met; 0 is taken for a point that this run did not come to, as no two make the same calls. */
  readonly codes: readonly number[];
}

/** Runs the command once to learn its steps; then, for each, interferes there, looks, runs it again and looks again. */
export async function sweep(scenario: Scenario, interference: Interference): Promise<void> {
  const points = (await stepsOf(scenario)).filter(interference.at ?? (() => true));
  expect(points.length).toBeGreaterThan(0);
  let met = 0;
  for (const point of some(points, interference.count)) {
    await scenario.prepare();
    const run = await scenario.home.run(scenario.args, { inject: [interference.inject(point)] });
    interference.after?.();
    await at(point, run, async () => {
      expect([0, ...interference.codes]).toContain(run.code);
      if (interference.codes.includes(run.code)) met += 1;
      await scenario.assertOldOrNew();
      // Who says that it is done has done it.
      if (run.code === 0) await scenario.assertNew();
      const again = await scenario.home.run(scenario.args);
      await at('the run after it', again, async () => {
        expect([0, ...(scenario.doneAlready ?? [])]).toContain(again.code);
        await scenario.assertNew();
      });
    });
  }
  expect(met).toBeGreaterThan(0);
}

async function stepsOf({ home, args, prepare, assertNew }: Scenario): Promise<Point[]> {
  await prepare();
  const log = join(home.scratch, 'calls');
  await home.must(args, { log });
  await assertNew();
  return pointsOf(log);
}

/** Says of a failure where it was found. */
async function at(
  where: Point | string,
  { code, stdout, stderr }: Run,
  look: () => Promise<void>,
): Promise<void> {
  try {
    await look();
  } catch (error) {
    const place = typeof where === 'string' ? where : `${where.call} ${where.nth}`;
    throw new Error(`at ${place}, which ended with ${code}:\n${stdout}${stderr}${(error as Error).message}`, {
      cause: error,
    });
  }
}
