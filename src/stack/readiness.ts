import { setTimeout as delay } from 'node:timers/promises';
import { AixclError } from '../errors.ts';
import type { ContainerDetail, Engine } from './engine.ts';
import { hasHealthcheck, type Probe, Prober } from './health-probe.ts';

/** What waiting for a container ended with. `loading`: time is up and its process still loads, which is no failure. */
export interface Readiness {
  readonly state: 'ready' | 'loading';
  /** First line of its health check's output, when it gave one. */
  readonly detail: string;
}

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Called with the health check's first line whenever it changed. */
  readonly onDetail?: (detail: string) => void;
  /** How long a container without a health check has to run before it counts as up. */
  readonly stableMs?: number | undefined;
}

/** How often a container is looked at: often while most become ready, seldom when it takes minutes. */
const eagerMs = 100;
const patientMs = 500;
const eagerFor = 60_000;
const crashesToGiveUp = 3;
const usualStableMs = 100;

/**
 * Waits until a container is ready. With a health check: until that succeeds. The engine runs it first after a whole interval, so it is
 * run here as well, by exec, from the start. Without one: until the container has stayed up for a moment, or ended with 0.
 * Throws `unhealthy` with the container's last log lines when it fails or does not get there in time.
 */
export async function awaitReady(engine: Engine, id: string, options: WaitOptions): Promise<Readiness> {
  const { stableMs = usualStableMs } = options;
  const began = performance.now();
  const elapsed = () => performance.now() - began;
  const crashesBefore = (await look(engine, id)).restartCount;
  let last: Probe = { ok: false, loading: false, detail: '' };
  using prober = new Prober(engine, options.signal);
  for (;;) {
    options.signal.throwIfAborted();
    const roundBegan = performance.now();
    const container = await look(engine, id);
    const probe = container.state === 'running' ? await prober.news(container) : undefined;
    if (probe && probe.detail !== last.detail) options.onDetail?.(probe.detail);
    last = probe ?? last;

    if (probe?.ok && !probe.loading && (hasHealthcheck(container) || ranFor(container) >= stableMs)) {
      return { state: 'ready', detail: probe.detail };
    }
    if (ended(container)) {
      if (container.exitCode === 0 && !hasHealthcheck(container))
        return { state: 'ready', detail: 'ended with 0' };
      throw await failed(engine, container, endedWords(container));
    }
    if (container.restartCount - crashesBefore >= crashesToGiveUp) {
      throw await failed(
        engine,
        container,
        `ended ${crashesToGiveUp} times, last with exit code ${container.exitCode}`,
      );
    }
    // A container that ended counts as unhealthy for its engine until it is started again.
    if (container.state === 'running' && container.health === 'unhealthy' && !probe?.ok) {
      throw await failed(engine, container, `is unhealthy${last.detail ? `: ${last.detail}` : ''}`);
    }
    if (elapsed() > options.timeoutMs) {
      if (last.loading && container.state === 'running') return { state: 'loading', detail: last.detail };
      throw await failed(
        engine,
        container,
        `did not become healthy within ${Math.round(options.timeoutMs / 1000)} s`,
      );
    }
    const pause = (elapsed() < eagerFor ? eagerMs : patientMs) - (performance.now() - roundBegan);
    if (pause > 0) await delay(pause, undefined, { signal: options.signal });
  }
}

/** Waits until a container has ended with 0 (`service_completed_successfully`). */
export async function awaitCompletion(engine: Engine, id: string, options: WaitOptions): Promise<void> {
  const began = performance.now();
  for (;;) {
    options.signal.throwIfAborted();
    const container = await look(engine, id);
    if (ended(container)) {
      if (container.exitCode === 0) return;
      throw await failed(engine, container, endedWords(container));
    }
    if (performance.now() - began > options.timeoutMs) {
      throw await failed(
        engine,
        container,
        `did not complete within ${Math.round(options.timeoutMs / 1000)} s`,
      );
    }
    await delay(eagerMs, undefined, { signal: options.signal });
  }
}

async function look(engine: Engine, id: string): Promise<ContainerDetail> {
  const container = await engine.inspectContainer(id);
  if (!container) {
    throw new AixclError(
      'unhealthy',
      `the container ${id.slice(0, 12)} was removed while aixcl waited for it`,
      {
        hint: 'aixcl stack start',
      },
    );
  }
  return container;
}

/** Milliseconds since its process started; the engine's clock is this machine's. */
function ranFor({ startedAt }: ContainerDetail): number {
  return Date.now() - Date.parse(startedAt);
}

function ended({ state }: ContainerDetail): boolean {
  return state === 'exited' || state === 'dead';
}

function endedWords(container: ContainerDetail): string {
  if (container.oomKilled) return 'was killed for want of memory';
  return `ended with exit code ${container.exitCode}${container.error ? ` (${container.error})` : ''}`;
}

async function failed(engine: Engine, container: ContainerDetail, why: string): Promise<AixclError> {
  return new AixclError('unhealthy', `${container.name} ${why}`, {
    hint: `docker logs ${container.name}`,
    evidence: await lastLines(engine, container.id, 15),
  });
}

/** The last lines of a container's log, oldest first. */
async function lastLines(engine: Engine, id: string, count: number): Promise<string[]> {
  const found: string[] = [];
  for await (const line of engine.logs(id, { tail: count })) found.push(line.text);
  return found;
}
