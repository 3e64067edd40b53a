import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Home } from '../../home.ts';
import { parseRequest } from '../../models/activation.ts';
import type { ModelName } from '../../models/model-name.ts';
import { writeSelfTestModel } from '../../models/self-test-model.ts';
import type { Surroundings } from '../../wiring/surroundings.ts';
import type { PageJob, PageUpload } from '../api.ts';
import { pageSurroundings } from '../app.ts';
import { PageDesk } from './desk.ts';
import type { Addresses } from './sight.ts';

/** For tests: a desk on a home of its own, which goes with it. */
export interface TestDesk extends AsyncDisposable {
  readonly desk: PageDesk;
  readonly home: Home;
  readonly surroundings: Surroundings;
  /** Path in the models directory. */
  at(...parts: string[]): string;
  /** The job once it has ended. */
  ended(job: PageJob): Promise<PageJob>;
}

export interface DeskWish {
  readonly addresses?: Partial<Addresses>;
  readonly uploads?: () => readonly PageUpload[];
  /** Seconds to wait for the vault. */
  readonly waitLock?: number;
}

/** Where nobody listens: port 1 is nobody's. */
const nowhere = 'http://127.0.0.1:1';

export async function testDesk({ addresses, uploads, waitLock = 0 }: DeskWish = {}): Promise<TestDesk> {
  const root = await mkdtemp(join(tmpdir(), 'aixcl-desk-'));
  const page = pageSurroundings({ AIXCL_HOME: root }, { signal: new AbortController().signal, warn() {} });
  const surroundings = { ...page, flags: { ...page.flags, waitLock } };
  const { home } = surroundings;
  await mkdir(home.models);
  const desk = new PageDesk({
    surroundings,
    receiving: { list: async () => uploads?.() ?? [] },
    version: '0.0.0',
    addresses: { ollama: nowhere, llamaServer: nowhere, ...addresses },
  });
  return {
    desk,
    home,
    surroundings,
    at: (...parts) => join(home.models, ...parts),
    async ended({ id }) {
      for (;;) {
        const job = desk.job(id);
        if (job.outcome !== 'running') return job;
        await delay(10);
      }
    },
    async [Symbol.asyncDispose]() {
      await desk[Symbol.asyncDispose]();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** A model that loads, its bytes by its sentence. Answers its sha256. */
export async function putModel(path: string, sentence?: string): Promise<string> {
  await writeSelfTestModel(path, sentence);
  return sha256Of(path);
}

export async function sha256Of(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

export interface StandIn extends AsyncDisposable {
  readonly address: string;
  /** `GET /health`, `POST /api/show`, one for each request that came. */
  readonly asked: readonly string[];
}

/** A service that answers these paths with JSON, or with a status alone. */
export async function standIn(answers: Readonly<Record<string, unknown>>): Promise<StandIn> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { method, url = '' } = request;
    asked.push(`${method} ${url}`);
    const answer = answers[url];
    if (typeof answer === 'number') response.writeHead(answer).end();
    else if (answer === undefined) response.writeHead(404).end();
    else response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What the entrypoint writes of a wish that it took, but for its id: `key: value` lines. */
export type Verdict = (name: ModelName) => string | Promise<string>;

/** Takes requests as llama-server's entrypoint does, and writes `verdict` into the state. */
export function entrypoint({ home }: Pick<TestDesk, 'home'>, verdict: Verdict): AsyncDisposable {
  const own = (name: string) => join(home.models, '.aixcl', name);
  let ended = false;
  const running = (async () => {
    while (!ended) {
      const request = parseRequest(await readFile(own('request'), 'utf8').catch(() => ''));
      if (request) {
        await rename(own('request'), own('request.taken'));
        const write = async (text: string) => {
          await writeFile(own('state.new'), `request: ${request.id}\nwant: ${request.name}\n${text}\n`);
          await rename(own('state.new'), own('state'));
        };
        await write(`phase: switching\nmodel: ${request.name}\nresult: pending`);
        await write(await verdict(request.name));
      }
      await delay(20);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      ended = true;
      await running;
    },
  };
}
