import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PrivateEngine, testEngine } from './engine-test.ts';

export interface EngineProxy extends AsyncDisposable {
  /** `unix:///…`. */
  readonly host: string;
  /** Changes of containers that went through, one a line: `POST rename`. */
  readonly changes: readonly string[];
}

export interface ProxyWish {
  /** Absent: the private one. */
  readonly engine?: PrivateEngine;
  /** Called before each change of a container with what `changes` will have of it. False: the engine never gets it. */
  readonly before?: (change: string) => boolean;
  /** What counts as a change, and how it is called; absent: what changes a container. */
  readonly changeOf?: (asked: IncomingMessage) => string | undefined;
}

/**
 * Stands between a command and an engine. `afterChange` is called once the engine has done the nth change of a container, before the command
 * learns of it; with 0 before the first one.
 */
export async function engineProxy(
  afterChange: (nth: number) => void,
  { engine = testEngine(), before = () => true, changeOf = ofContainer }: ProxyWish = {},
): Promise<EngineProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'aixcl-proxy-'));
  const socket = join(folder, 'docker.sock');
  const changes: string[] = [];
  const server = createServer((asked, answer) => {
    const change = changeOf(asked);
    if (change && changes.length === 0) afterChange(0);
    if (change && !before(change)) return;
    forward(engine, asked, answer, () => {
      if (!change) return;
      changes.push(change);
      afterChange(changes.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    host: `unix://${socket}`,
    changes,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}

function forward(
  engine: PrivateEngine,
  asked: IncomingMessage,
  answer: ServerResponse,
  done: () => void,
): void {
  const { method, url, headers } = asked;
  const onward = request({ socketPath: engine.socket, method, path: url, headers }, (answered) => {
    done();
    answer.writeHead(answered.statusCode ?? 500, answered.headers);
    answered.pipe(answer);
    answered.on('error', () => answer.destroy());
  });
  onward.on('error', () => answer.destroy());
  answer.on('close', () => onward.destroy());
  asked.pipe(onward);
}

/** Every request that may change anything: what runs in a container and what is put into it, too. */
export function anyChange({ method = 'GET', url = '' }: IncomingMessage): string | undefined {
  if (method === 'GET' || method === 'HEAD') return undefined;
  return `${method} ${url.replace(/^\/v[\d.]+/, '').replace(/[0-9a-f]{64}|\?.*/g, '')}`;
}

/** Undefined for what changes no container. */
function ofContainer({ method, url = '' }: IncomingMessage): string | undefined {
  const what = /\/containers\/(?:[^/?]+\/)?(create|start|stop|rename|update|[0-9a-f]{64})\b/.exec(url)?.[1];
  if (!what) return undefined;
  if (method === 'DELETE') return 'DELETE';
  return method === 'POST' ? `POST ${what}` : undefined;
}
