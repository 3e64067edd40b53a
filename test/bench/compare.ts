import { spawn } from 'node:child_process';

/** One side of a comparison. */
export interface Side {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Brings things to where a run starts; not measured. */
  readonly before?: () => Promise<void>;
}

export interface Comparison {
  readonly name: string;
  readonly ours: Side;
  readonly theirs: Side;
  /** Runs of each side that count. */
  readonly runs: number;
  /** Ratio of medians that is aimed at, at most. */
  readonly aim: number;
}

/** Wall times in milliseconds. */
export interface Outcome {
  readonly ours: number;
  readonly theirs: number;
  readonly ratio: number;
}

const warmUps = 2;

/** Runs both sides in turn, so that what else the machine does falls on both. */
export async function compare({ ours, theirs, runs }: Comparison): Promise<Outcome> {
  const times = { ours: [] as number[], theirs: [] as number[] };
  for (let run = -warmUps; run < runs; run += 1) {
    const pair = { ours: await timed(ours), theirs: await timed(theirs) };
    if (run < 0) continue;
    times.ours.push(pair.ours);
    times.theirs.push(pair.theirs);
  }
  const [a, b] = [median(times.ours), median(times.theirs)];
  return { ours: a, theirs: b, ratio: a / b };
}

async function timed(side: Side): Promise<number> {
  await side.before?.();
  const [program, ...args] = side.command;
  const begin = process.hrtime.bigint();
  const failure = await new Promise<string | undefined>((resolve) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...side.env },
    });
    let errors = '';
    child.stderr.on('data', (text) => {
      errors += text;
    });
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code) => resolve(code === 0 ? undefined : `exit ${code}: ${errors}`));
  });
  const ms = Number(process.hrtime.bigint() - begin) / 1e6;
  // A failed command is done early; its time says nothing.
  if (failure) throw new Error(`${side.name} failed: ${failure}`);
  return ms;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] = [sorted[middle - 1 + (sorted.length % 2)], sorted[middle]];
  return (low + high) / 2;
}
