import { join } from 'node:path';
import { expect } from 'vitest';
import { type FaultHome, type Injection, type Point, pointsOf, type Run, sweepAll } from './fault-test.ts';

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
  /**
   * Throws unless the home is in the old state or in the new one now that another command came, which finishes or takes back what a killed one
   * left half done. Absent: nothing is ever half done.
   */
  assertSettled?(): Promise<void>;
}

export interface Interference {
  /** Points at which it is done, of each kind of call. */
  readonly count: number;
  readonly at?: (point: Point) => boolean;
  inject(point: Point): Injection;
  /** Done right after the run that was interfered with. */
  after?(): void;
  /** Exit codes of a run that this met; 0 is taken for a point that this run did not come to, as no two make the same calls. */
  readonly codes: readonly number[];
  /** The command may well do without what fails, at each point that is tried. */
  readonly harmless?: boolean;
}

/** Runs the command once to learn its steps; then, for each, interferes there, looks, runs it again and looks again. */
export async function sweep(scenario: Scenario, interference: Interference): Promise<void> {
  const points = (await stepsOf(scenario)).filter(interference.at ?? (() => true));
  expect(points.length).toBeGreaterThan(0);
  let met = 0;
  for (const point of spread(points, interference.count)) {
    await scenario.prepare();
    const run = await scenario.home.run(scenario.args, { inject: [interference.inject(point)] });
    interference.after?.();
    await at(point, run, async () => {
      expect([0, ...interference.codes]).toContain(run.code);
      if (interference.codes.includes(run.code)) met += 1;
      await scenario.assertOldOrNew();
      // Who says that it is done has done it.
      if (run.code === 0) await scenario.assertNew();
      if (scenario.assertSettled) {
        await scenario.home.must(['backups', 'create']);
        await scenario.assertSettled();
      }
      const again = await scenario.home.run(scenario.args);
      await at('the run after it', again, async () => {
        expect([0, ...(scenario.doneAlready ?? [])]).toContain(again.code);
        await scenario.assertNew();
      });
    });
  }
  if (!interference.harmless) expect(met).toBeGreaterThan(0);
}

/** So many of each kind of call, evenly spread between its first and its last; all of them in a full sweep. */
function spread(points: readonly Point[], count: number): readonly Point[] {
  if (sweepAll) return points;
  return [...new Set(points.map(({ call }) => call))].flatMap((kind) => {
    const own = points.filter(({ call }) => call === kind);
    const at = (index: number) => Math.floor(((index + 1) * own.length) / (count + 1));
    return own.length <= count ? own : Array.from({ length: count }, (_, index) => own[at(index)] as Point);
  });
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
