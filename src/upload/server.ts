import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AixclError } from '../errors.ts';
import { createDesk, pageSurroundings } from './app.ts';
import { hostList } from './http/admission.ts';
import { readAssets } from './http/assets.ts';
import { requestLog } from './http/request-log.ts';
import { serve } from './http/serve.ts';
import { addressFor } from './listen-address.ts';
import { receivingInto } from './receive/receiving.ts';

declare const AIXCL_VERSION: string;

/** How long what is under way is given when the service is to end, in milliseconds; the engine waits 10 s before it kills. */
const endMs = 4500;

void main(process.env);

/** Serves the page of the home that `AIXCL_HOME` names at `HOST` (127.0.0.1) and `PORT` (8081), until SIGTERM. */
async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const { host, port } = addressFor(env);
  const ending = new AbortController();
  const log = requestLog(env);
  process.on('uncaughtException', (error) => {
    log.problem(error);
    process.exit(1);
  });
  const surroundings = pageSurroundings(env, { signal: ending.signal, warn: log.problem });
  const receiving = receivingInto(surroundings);
  const desk = createDesk(surroundings, { receiving, version: AIXCL_VERSION });
  const assets = await readAssets(join(dirname(fileURLToPath(import.meta.url)), 'page'));
  const allowedHosts = hostList(env.AIXCL_ALLOWED_HOSTS);
  const serving = await serve(
    surroundings.home,
    { desk, receiving, assets, allowedHosts, log },
    { host, port },
  );
  log.request(`aixcl ${AIXCL_VERSION}: the upload page listens on ${host}:${serving.port}`);

  async function end(): Promise<void> {
    await serving.close();
    ending.abort(new AixclError('terminated', 'the page was stopped'));
    await Promise.allSettled([receiving[Symbol.asyncDispose](), desk[Symbol.asyncDispose]()]);
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void Promise.race([end(), delay(endMs)]).then(() => process.exit(0)));
  }
}
