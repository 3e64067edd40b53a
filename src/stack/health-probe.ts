import { setTimeout as delay } from 'node:timers/promises';
import { AixclError } from '../errors.ts';
import type { ContainerDetail, Engine } from './engine.ts';

/** A run of a health check that takes longer than this is no longer waited for alone. */
const newsWithinMs = 500;
/** A run is given up after what an engine gives a health check by default. */
const hangsAfterMs = 30_000;
/** How a health check says, with exit code 0, that its service lives and is not ready: see services/llama-server/entrypoint.sh. */
const loadingPrefix = 'aixcl: loading';

/**
 * Runs a container's health check over and over, one run at a time. A run that hangs holds nothing up: meanwhile the engine's own verdict
 * counts.
 */
export class Prober implements Disposable {
  readonly #engine: Engine;
  readonly #signal: AbortSignal;
  readonly #ended = new AbortController();
  #run:
    | { readonly startedAt: string; readonly outcome: Promise<Probe | { readonly error: unknown }> }
    | undefined;

  constructor(engine: Engine, signal: AbortSignal) {
    this.#engine = engine;
    this.#signal = AbortSignal.any([signal, this.#ended.signal]);
  }

  /** What the run that is on, or else a new one, says; undefined while it hangs and the engine knows nothing better. */
  async news(container: ContainerDetail): Promise<Probe | undefined> {
    if (this.#run?.startedAt !== container.startedAt) this.#run = undefined;
    this.#run ??= {
      startedAt: container.startedAt,
      outcome: runHealthcheck(this.#engine, container, this.#signal).catch((error: unknown) => ({ error })),
    };
    const outcome = await Promise.race([this.#run.outcome, delay(newsWithinMs, undefined, { ref: false })]);
    if (!outcome) return container.health === 'healthy' ? engineVerdict(container) : undefined;
    this.#run = undefined;
    if ('error' in outcome) throw outcome.error;
    return outcome;
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
  }
}

function engineVerdict({ healthLog }: ContainerDetail): Probe {
  return probeOf(0, healthLog.at(-1)?.output ?? '');
}

/** What a run of a health check said. `loading`: it succeeded, and its service lives but is not ready. */
export interface Probe {
  readonly ok: boolean;
  readonly loading: boolean;
  readonly detail: string;
}

/** Runs the container's own health check now; a container without one passes by running, one that takes too long does not. */
export async function runHealthcheck(
  engine: Engine,
  container: ContainerDetail,
  signal: AbortSignal,
  withinMs = hangsAfterMs,
): Promise<Probe> {
  const patience = AbortSignal.timeout(withinMs);
  const argv = healthArgv(container.healthcheckTest);
  if (!argv) return { ok: true, loading: false, detail: '' };
  try {
    const { exitCode, output } = await engine.exec(container.id, argv, {
      signal: AbortSignal.any([signal, patience]),
    });
    return patience.aborted ? noAnswer : probeOf(exitCode, output);
  } catch (error) {
    if (patience.aborted) return noAnswer;
    // It ended or restarts between the look and the exec; the next look will tell.
    if (error instanceof AixclError && error.code !== 'engineUnreachable')
      return { ok: false, loading: false, detail: '' };
    throw error;
  }
}

const noAnswer: Probe = { ok: false, loading: false, detail: 'its health check does not answer' };

/** What a health check's output says to people; the programs of others print whatever they print. */
export function wordsOf(detail: string): string | undefined {
  return /^aixcl: (.*)/.exec(detail)?.[1];
}

function probeOf(exitCode: number, output: string): Probe {
  const detail = output.trim().split('\n')[0] ?? '';
  return { ok: exitCode === 0, loading: exitCode === 0 && detail.startsWith(loadingPrefix), detail };
}

export function hasHealthcheck({ healthcheckTest }: ContainerDetail): boolean {
  return healthArgv(healthcheckTest) !== undefined;
}

/** What an engine runs for a health check's `test`; undefined for none. */
function healthArgv(test: readonly string[]): readonly string[] | undefined {
  if (test[0] === 'CMD') return test.slice(1);
  if (test[0] === 'CMD-SHELL') return ['/bin/sh', '-c', test.slice(1).join(' ')];
  return undefined;
}
