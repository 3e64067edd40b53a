import { spawn } from 'node:child_process';
import { median } from './compare.ts';

/** One measurement; `ours` tells its peak memory, in bytes, on stdout. */
export interface Line {
  readonly name: string;
  readonly ours: Side;
  readonly theirs?: Side;
  /** Ratio of medians, ours to theirs, at most. Absent: told, not aimed at. */
  readonly aim?: number;
  /** Bytes of memory of ours at most. */
  readonly gateBytes: number;
  /** Milliseconds of ours at most. */
  readonly atMostMs?: number;
}

export interface Side {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly before: () => Promise<void>;
}

/** Runs both sides in turn, says how they compare, and answers 1 when an aim was missed, else 0. */
export async function measure(
  { name, ours, theirs, aim, atMostMs, gateBytes }: Line,
  runs: number,
): Promise<number> {
  const times = { ours: [] as number[], theirs: [] as number[] };
  let peak = 0;
  for (let run = -1; run < runs; run += 1) {
    const mine = await timed(ours);
    const other = theirs && (await timed(theirs));
    if (run < 0) continue;
    times.ours.push(mine.ms);
    if (other) times.theirs.push(other.ms);
    peak = Math.max(peak, Number(mine.output));
  }
  const [a, b] = [median(times.ours), median(times.theirs)];
  const misses = [
    ...(aim !== undefined && a / b > aim ? [`aim ${aim.toFixed(2)}`] : []),
    ...(atMostMs !== undefined && a > atMostMs ? [`aim ${atMostMs} ms`] : []),
    ...(peak > gateBytes ? [`aim ${gateBytes / 1e6} MB`] : []),
  ];
  const against = theirs ? `${(a / b).toFixed(2)} x ${theirs.name} ` : '';
  const detail = theirs ? `${a.toFixed(0)} ms against ${b.toFixed(0)} ms` : `${a.toFixed(0)} ms`;
  process.stdout.write(
    `${name.padEnd(34)} ${against}(${detail}; peak ${(peak / 1e6).toFixed(0)} MB` +
      `${misses.map((miss) => `; ${miss}, missed`).join('')})\n`,
  );
  return misses.length > 0 ? 1 : 0;
}

/** Wall time in milliseconds, and what it said. Throws when it fails: it is done early then, and its time says nothing. */
async function timed({ name, command, before }: Side): Promise<{ ms: number; output: string }> {
  await before();
  const [program, ...args] = command;
  const begin = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, errors] = ['', ''];
  child.stdout.on('data', (text) => {
    output += text;
  });
  child.stderr.on('data', (text) => {
    errors += text;
  });
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  const ms = performance.now() - begin;
  if (code !== 0) throw new Error(`${name} failed (${code}): ${errors}`);
  return { ms, output };
}
