import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { issueToken } from '../../src/adapters/page-door/door.ts';
import { resolveHome } from '../../src/home.ts';
import { pageServerOptions } from '../setup/page-server-options.ts';
import { freePort } from '../setup/ports.ts';

/** The page's server as it runs in its container, but for the container. */
export interface PageServer extends AsyncDisposable {
  readonly url: string;
  /** Of a session, as a header. */
  readonly cookie: string;
  /** Address with a token that is still good. */
  readonly address: string;
  readonly models: string;
  /** Bytes of memory that it had at most. */
  peak(): number;
}

/** On an empty home below `root`, which goes with it. */
export async function startPageServer(root: string): Promise<PageServer> {
  const home = resolveHome({ AIXCL_HOME: join(root, 'home') });
  await mkdir(home.models, { recursive: true });
  const port = await freePort();
  const { argv, env } = pageServerOptions();
  const child = spawn(process.execPath, [...argv, 'services/upload-ui/app/server.cjs'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      ...env,
      AIXCL_HOME: home.root,
      HOST: '127.0.0.1',
      PORT: String(port),
    },
  });
  // Its first line says that it listens; the others are read, so that it can go on.
  await once(child.stdout, 'data');
  child.stdout.resume();
  const url = `http://127.0.0.1:${port}`;
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const tokenAddress = async () => `${url}/?token=${(await issueToken(home, owner)).secret}`;
  const { headers } = await fetch(await tokenAddress(), { redirect: 'manual' });
  return {
    url,
    cookie: headers.get('set-cookie')?.split(';')[0] ?? '',
    address: await tokenAddress(),
    models: home.models,
    peak: () => peakOf(child.pid),
    async [Symbol.asyncDispose]() {
      child.kill();
      if (child.exitCode === null) await once(child, 'exit');
      await rm(home.root, { recursive: true });
    },
  };
}

function peakOf(pid: number | undefined): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}
