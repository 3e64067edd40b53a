import { readFile } from 'node:fs/promises';

/** What happens at a call of the kernel: the call fails, a signal comes instead of it, or it is held up first. */
export interface Injection {
  readonly calls: readonly string[];
  readonly effect:
    | `error=${string}`
    | `signal=${string}`
    /** Microseconds. */
    | `delay_enter=${number}`;
  /** The Nth of each of these calls, by each thread: `3`; `3+`: and all after. Absent: every one. */
  readonly when?: number | `${number}+`;
  /** Only of calls on this file. */
  readonly path?: string;
}

/** Calls that change what is on a disk. `write` is also how Node's threads wake each other: such calls are no steps, and harmless. */
export const changingCalls = [
  'write',
  'pwrite64',
  'writev',
  'pwritev',
  'copy_file_range',
  'sendfile',
  'ftruncate',
  'fsync',
  'fdatasync',
  'rename',
  'renameat2',
  'link',
  'linkat',
  'symlink',
  'unlink',
  'unlinkat',
  'rmdir',
  'mkdir',
  'chmod',
  'fchmod',
  'fchown',
  'utimensat',
] as const;

export function straceArguments(
  inject: readonly Injection[],
  log: string | undefined,
  watch: string | undefined,
): string[] {
  const calls = new Set<string>(watch ? ['%file'] : log ? changingCalls : []);
  for (const each of inject) for (const call of each.calls) calls.add(call);
  const paths = new Set([...inject.flatMap(({ path }) => path ?? []), ...(watch ? [watch] : [])]);
  return [
    '-f',
    '-qq',
    // Paths of descriptors, for whoever reads the log.
    '-y',
    '-s0',
    '-esignal=none',
    `-etrace=${[...calls].join(',')}`,
    ...inject.map(({ calls: names, effect, when }) => {
      return `-einject=${names.join(',')}:${effect}${when === undefined ? '' : `:when=${when}`}`;
    }),
    ...[...paths].flatMap((path) => ['-P', path]),
    '-o',
    log ?? '/dev/null',
  ];
}

export interface Point {
  readonly call: string;
  /** Of that call, by the thread that makes the most of them; from 1. */
  readonly nth: number;
}

/** Every call of a log, as points at which to interfere with the same command. */
export async function pointsOf(log: string): Promise<Point[]> {
  const counts = new Map<string, number>();
  const steps = new Set<string>();
  for (const line of (await readFile(log, 'utf8')).split('\n')) {
    const [, thread, call, file = ''] = /^(\d+) +(\w+)\((?:[^<]*<([^>]*)>)?/.exec(line) ?? [];
    if (call === undefined) continue;
    // Counted by strace too, so they move the number; but nothing of ours happens there.
    const key = `${thread} ${call}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    if (call === 'write' && /^(anon_inode|pipe|socket|\/dev)/.test(file)) continue;
    steps.add(`${call} ${counts.get(key)}`);
  }
  return [...steps].map((each) => {
    const [call = '', nth] = each.split(' ');
    return { call, nth: Number(nth) };
  });
}
