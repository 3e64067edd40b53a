import { get } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AixclError } from '../errors.ts';
import { resolveHome } from '../home.ts';
import type { Desk, Receiving } from './desk.ts';
import { hostList } from './http/admission.ts';
import { readAssets } from './http/assets.ts';
import { requestLog } from './http/request-log.ts';
import { serve } from './http/serve.ts';

const { env } = process;
const host = env.HOST || '127.0.0.1';
const port = Number(env.PORT || 8081);

if (process.argv[2] === 'health') health();
else void main();

async function main(): Promise<void> {
  const home = resolveHome(env);
  const { desk, receiving } = none();
  const serving = await serve(
    home,
    {
      desk,
      receiving,
      assets: await readAssets(join(dirname(fileURLToPath(import.meta.url)), 'page')),
      allowedHosts: hostList(env.AIXCL_ALLOWED_HOSTS),
      log: requestLog(env),
    },
    { host, port },
  );
  process.stdout.write(`The upload page listens on ${host}:${serving.port}\n`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void serving.close().then(() => process.exit(0)));
  }
}

function health(): void {
  const name = host === '0.0.0.0' ? '127.0.0.1' : host;
  get({ host: name, port, path: '/health', timeout: 3000 }, ({ statusCode }) =>
    process.exit(statusCode === 204 ? 0 : 1),
  )
    .on('timeout', () => process.exit(1))
    .on('error', () => process.exit(1));
}

function none(): { desk: Desk; receiving: Receiving } {
  const missing = () => {
    throw new AixclError('unexpected', 'not there yet');
  };
  const all = new Proxy({}, { get: () => missing });
  return { desk: all as Desk, receiving: all as Receiving };
}
