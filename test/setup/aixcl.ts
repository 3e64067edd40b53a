import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { TestHome } from './home.ts';
import { type JsonOutcome, type Outcome, startProcess, withJson } from './process.ts';
import { variables } from './variables.ts';

const program = fileURLToPath(new URL('../../bin/aixcl.js', import.meta.url));

export interface AixclOptions {
  readonly home: TestHome;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly cwd?: string;
  /** Milliseconds. */
  readonly timeout?: number;
}

export type Aixcl = JsonOutcome;

/** Runs the built `aixcl` off a terminal on the private engine, with an environment of the test's own. */
export async function aixcl(args: readonly string[], options: AixclOptions): Promise<Aixcl> {
  return withJson(await spawnAixcl(args, options).outcome);
}

/** As `aixcl`, for tests that send signals while it runs. */
export function spawnAixcl(
  args: readonly string[],
  { home, env, input, cwd, timeout }: AixclOptions,
): { child: ChildProcess; outcome: Promise<Outcome> } {
  return startProcess(process.execPath, [program, ...args], {
    input,
    env: {
      PATH: process.env.PATH,
      // What would lie in the user's home must not reach a test, nor come from one.
      HOME: home.root,
      ...(process.env.XDG_CACHE_HOME && { XDG_CACHE_HOME: process.env.XDG_CACHE_HOME }),
      DOCKER_HOST: process.env[variables.host],
      ...home.env,
      ...env,
    },
    ...(cwd !== undefined && { cwd }),
    ...(timeout !== undefined && { timeout }),
  });
}
