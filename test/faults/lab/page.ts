import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ownerOf } from '../../../src/adapters/home-folder.ts';
import { issueToken } from '../../../src/adapters/page-door/door.ts';
import { systemCode } from '../../../src/errors.ts';
import { resolveHome } from '../../../src/home.ts';
import type { PageJob, PageState } from '../../../src/upload/api.ts';
import { freePort } from '../../setup/ports.ts';
import { type Outcome, startProcess } from '../../setup/process.ts';
import type { FaultHome } from './fault-home.ts';
import { type Injection, straceArguments } from './inject.ts';
import { until } from './until.ts';

const program = fileURLToPath(new URL('../../../services/upload-ui/app/server.cjs', import.meta.url));

/** The page runs until its test, whose own limit is no longer than this, stops it. */
const longestTestMs = 3_600_000;

export interface PageOptions {
  readonly inject?: readonly Injection[];
  /** As `RunOptions.log`. */
  readonly log?: string;
}

/** The built server of the page on a home, as it is in its container but for that; stopped at the end of its `await using` scope. */
export interface Page extends AsyncDisposable {
  readonly outcome: Promise<Outcome>;
  state(): Promise<PageState>;
  /** Throws unless it is let in. */
  ask<T>(method: string, path: string): Promise<T>;
  /** Any request, as who is let in sends it. */
  send(method: string, path: string, headers?: Record<string, string>, body?: Uint8Array): Promise<Response>;
  /** Asks for a change, and waits for the job's end. */
  job(method: string, path: string): Promise<PageJob>;
  /** As the engine does it. */
  stop(): Promise<Outcome>;
  /** SIGKILL. */
  kill(): Promise<Outcome>;
}

/** Started, and a session open. Throws where it was ended before. */
export async function startPage(home: FaultHome, { inject = [], log }: PageOptions = {}): Promise<Page> {
  const port = await freePort();
  const traced = inject.length > 0 || log !== undefined;
  const argv = [
    ...(traced ? ['strace', ...straceArguments(inject, log, undefined)] : []),
    process.execPath,
    program,
  ];
  const [first = '', ...rest] = argv;
  const { child, outcome } = startProcess(first, rest, {
    env: {
      ...home.env,
      PATH: process.env.PATH,
      PORT: String(port),
      // strace counts by thread.
      ...(traced && { UV_THREADPOOL_SIZE: '1', UV_USE_IO_URING: '0' }),
    },
    timeout: longestTestMs,
  });
  let isOver = false;
  const over = outcome.then((ended) => {
    isOver = true;
    return ended;
  });
  const address = `http://127.0.0.1:${port}`;
  const end = async (signal: NodeJS.Signals) => {
    const pid = traced ? childOf(child.pid) : child.pid;
    try {
      if (!isOver && pid !== undefined) process.kill(pid, signal);
    } catch (error) {
      // Ended between the look and the signal.
      if (systemCode(error) !== 'ESRCH') throw error;
    }
    return await over;
  };
  const stop = () => end('SIGTERM');
  const alive = () => fetch(`${address}/health`).then(({ ok }) => ok);
  await until(async () => isOver || (await alive()));
  if (isOver) throw new Error('the page ended before it listened');
  const { secret } = await issueToken(resolveHome(home.env), await ownerOf(home.models));
  const entered = await fetch(`${address}/?token=${secret}`, { redirect: 'manual' });
  const cookie = (entered.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const send: Page['send'] = (method, path, headers = {}, body = undefined) =>
    fetch(`${address}${path}`, {
      method,
      headers: { cookie, ...headers },
      ...(body && { body: body as Uint8Array<ArrayBuffer> }),
    });
  const ask = async <T>(method: string, path: string): Promise<T> => {
    const answer = await send(method, path);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as T;
  };
  return {
    outcome: over,
    ask,
    send,
    state: () => ask<PageState>('GET', '/api/state'),
    async job(method, path) {
      const { id } = await ask<PageJob>(method, path);
      for (;;) {
        const job = await ask<PageJob>('GET', `/api/jobs/${id}`);
        if (job.outcome !== 'running') return job;
        await delay(50);
      }
    },
    stop,
    kill: () => end('SIGKILL'),
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

/** The process that strace started. */
function childOf(pid: number | undefined): number | undefined {
  try {
    const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
    return first ? Number(first) : undefined;
  } catch {
    return undefined;
  }
}
