import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { AixclError, reasonOf } from '../../errors.ts';

/** Told of what goes on, in one line for people. */
export type Report = (line: string) => void;

export interface CommandOptions {
  readonly signal?: AbortSignal | undefined;
  /** Each line of stdout and stderr. */
  readonly onLine?: Report;
}

const evidenceLines = 12;
const killAfterMs = 5_000;

/**
 * Runs a system program to its end, in English and without questions. Throws `unexpected` with its last lines when it fails, and the
 * signal's reason when aborted: then the program and all that it started are ended first.
 */
export async function runCommand(
  program: string,
  args: readonly string[],
  { signal, onLine }: CommandOptions = {},
): Promise<void> {
  signal?.throwIfAborted();
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, so that an abort reaches its children too.
    detached: true,
    env: { ...process.env, ...systemEnvironment() },
  });
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      if (line.trim() === '') return;
      last.push(line);
      if (last.length > evidenceLines) last.shift();
      onLine?.(line);
    });
  }
  const ended = new Promise<string | undefined>((resolve) => {
    child.on('error', (error) => resolve(reasonOf(error)));
    child.on('close', (code, by) => resolve(code === 0 ? undefined : by ? `ended by ${by}` : `exit ${code}`));
  });
  const abort = () => endGroup(child.pid);
  signal?.addEventListener('abort', abort);
  const failure = await ended.finally(() => signal?.removeEventListener('abort', abort));
  signal?.throwIfAborted();
  if (failure) throw new AixclError('unexpected', `${program} failed (${failure})`, { evidence: last });
}

/** True when the program runs and exits with 0. */
export async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  try {
    await runCommand(program, args);
    return true;
  } catch {
    return false;
  }
}

/** A root shell started by `su` has no sbin in its PATH, where debootstrap, dockerd and iptables lie. */
export function systemEnvironment(): Record<string, string> {
  return {
    LC_ALL: 'C.UTF-8',
    DEBIAN_FRONTEND: 'noninteractive',
    PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`,
  };
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  const send = (signal: NodeJS.Signals) => {
    try {
      process.kill(-pid, signal);
    } catch {
      // Ended meanwhile.
    }
  };
  send('SIGTERM');
  setTimeout(() => send('SIGKILL'), killAfterMs).unref();
}
