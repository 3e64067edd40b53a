import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { AixclError, reasonOf } from '../../errors.ts';

export interface MergeCommand {
  readonly command: string;
  /** Absolute. Of a base in shards, the first. */
  readonly base: string;
  /** Absolute: a folder, or a GGUF file. */
  readonly adapter: string;
  /** Absolute, and not there yet. */
  readonly output: string;
  readonly signal: AbortSignal;
  /** Each line that it prints. */
  readonly onLine: (line: string) => void;
}

const evidenceLines = 12;
/** Characters; nobody reads more, and it may print without an end. */
const longestLine = 2000;
/** It has so many milliseconds to end once it is asked to. */
const patienceMs = 800;

/**
 * Beside the command one waits for the end of fd 3, which comes with the end of aixcl, however that ends, or when aixcl is done with the group:
 * then all that is left of the group is killed.
 */
const guarded =
  '{ trap \'\' HUP INT TERM; cat <&3; kill -s KILL 0; } >/dev/null 2>&1 & exec 3<&-; exec sh -c "$1"';

/**
 * Runs the user's own merge by `sh -c`, in a process group of its own, with `BASE`, `ADAPTER` and `OUTPUT` beside what this process has in its
 * environment. Throws `unexpected` with its last lines when it fails. Nothing that it started in its group outlives this.
 */
export async function runMergeCommand(wish: MergeCommand): Promise<void> {
  const { command, base, adapter, output, signal, onLine } = wish;
  signal.throwIfAborted();
  const child = spawn('sh', ['-c', guarded, 'sh', command], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, BASE: base, ADAPTER: adapter, OUTPUT: output },
  });
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream! }).on('line', (line) => {
      const shown = line
        .slice(0, longestLine)
        .replace(/\p{Cc}/gu, ' ')
        .trimEnd();
      if (shown === '') return;
      last.push(shown);
      if (last.length > evidenceLines) last.shift();
      onLine(shown);
    });
  }
  const ended = new Promise<string | undefined>((resolve) => {
    child.on('error', (error) => resolve(reasonOf(error)));
    child.on('exit', (code, by) => resolve(code === 0 ? undefined : by ? `ended by ${by}` : `exit ${code}`));
  });
  const closed = new Promise<void>((resolve) => {
    for (const end of ['close', 'error']) child.on(end, () => resolve());
  });
  let force: NodeJS.Timeout | undefined;
  const abort = () => {
    endGroup(child.pid, 'SIGTERM');
    force = setTimeout(() => endGroup(child.pid, 'SIGKILL'), patienceMs);
  };
  signal.addEventListener('abort', abort);
  const failure = await ended.finally(() => {
    signal.removeEventListener('abort', abort);
    clearTimeout(force);
  });
  child.stdio[3]?.destroy();
  // Its last words come with the end of the group; what left the group may hold them back.
  await Promise.race([closed, delay(patienceMs, undefined, { ref: false })]);
  for (const stream of [child.stdout, child.stderr]) stream?.destroy();
  signal.throwIfAborted();
  if (!failure) return;
  throw new AixclError('unexpected', `the merge command failed (${failure}): ${command}`, {
    hint: 'Mend it, then run the same again. BASE, ADAPTER and OUTPUT are in its environment.',
    evidence: last,
  });
}

function endGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Ended meanwhile.
  }
}
