import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type JsonOutcome, type Outcome, startProcess, withJson } from '../../setup/process.ts';
import { type Injection, straceArguments } from './inject.ts';

const program = fileURLToPath(new URL('../../../bin/aixcl.js', import.meta.url));

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What the kernel is made to answer, or to do, at some of its calls. */
  readonly inject?: readonly Injection[];
  /** Where every call that changes a file is written down, one a line; with `watch`, every call on that file alone. */
  readonly log?: string;
  readonly watch?: string;
  /** Without root's power over other users' files and over modes. */
  readonly powerless?: boolean;
  /** What it takes for the time: `2031-01-01 00:00:00`, or `-1y`. The disk goes on by the real one. */
  readonly clock?: string;
  /** Milliseconds. */
  readonly timeout?: number;
}

export type Run = JsonOutcome;

/** Runs the built command line, as it would be by a user, off a terminal. */
export async function aixcl(args: readonly string[], options: RunOptions): Promise<Run> {
  return withJson(await startAixcl(args, options).outcome);
}

/** As `aixcl`, for tests that interfere while it runs. With `inject`, the child is the tracer. */
export function startAixcl(
  args: readonly string[],
  { env, cwd, inject = [], log, watch, powerless, clock, timeout = 60_000 }: RunOptions,
): { child: ChildProcess; outcome: Promise<Outcome> } {
  const argv = [
    ...(powerless ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--'] : []),
    ...(clock === undefined ? [] : ['faketime', '-f', clock]),
    ...(inject.length > 0 || log ? ['strace', ...straceArguments(inject, log, watch)] : []),
    process.execPath,
    program,
    ...args,
  ];
  const [first = '', ...rest] = argv;
  return startProcess(first, rest, {
    ...(cwd !== undefined && { cwd }),
    timeout,
    env: {
      PATH: process.env.PATH,
      ...(process.env.XDG_CACHE_HOME && { XDG_CACHE_HOME: process.env.XDG_CACHE_HOME }),
      // strace counts by thread: one thread for the disk, and no ring that goes past the calls.
      ...(inject.length > 0 || log ? { UV_THREADPOOL_SIZE: '1', UV_USE_IO_URING: '0' } : {}),
      // Timers go by the machine's own clock.
      ...(clock === undefined ? {} : { FAKETIME_DONT_FAKE_MONOTONIC: '1' }),
      ...env,
    },
  });
}
