import { type ChildProcess, spawn } from 'node:child_process';

export interface ProcessOptions {
  readonly cwd?: string;
  /** The whole environment. */
  readonly env: NodeJS.ProcessEnv;
  /** Standard input; absent: empty. Never a terminal. */
  readonly input?: string | undefined;
  /** Milliseconds until it is killed and the call fails. */
  readonly timeout?: number;
}

export interface Outcome {
  /** Exit code; 128 + number for a signal, as a shell says it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. Any exit code is an outcome; only a program that can't be started or does not end throws. */
export function runProcess(
  program: string,
  args: readonly string[],
  options: ProcessOptions,
): Promise<Outcome> {
  return startProcess(program, args, options).outcome;
}

/** As `runProcess`, for tests that interfere while the program runs. */
export function startProcess(
  program: string,
  args: readonly string[],
  { cwd, env, input, timeout = 120_000 }: ProcessOptions,
): { child: ChildProcess; outcome: Promise<Outcome> } {
  const child = spawn(program, args, { ...(cwd !== undefined && { cwd }), env, stdio: 'pipe' });
  const outcome = new Promise<Outcome>((resolve, reject) => {
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${program} ${args.join(' ')} did not end in ${timeout} ms\n${stdout}\n${stderr}`));
    }, timeout);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code: code ?? 128 + signalNumbers[signal as keyof typeof signalNumbers], stdout, stderr });
    });
  });
  // A program that does not read its input closes the pipe; that is no failure of the test.
  child.stdin.on('error', () => {});
  child.stdin.end(input ?? '');
  return { child, outcome };
}

const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGSEGV: 11, SIGPIPE: 13, SIGTERM: 15 };

export interface JsonOutcome extends Outcome {
  /** Each line of stdout as JSON, for `--format json`. */
  readonly json: readonly Record<string, unknown>[];
}

export function withJson(outcome: Outcome): JsonOutcome {
  return {
    ...outcome,
    get json() {
      return outcome.stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
  };
}
