/** A real `docker compose`, killed at a request of its choice: it speaks to its engine through a socket of the test's own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PrivateEngine, spawnCompose, type TestHome } from '../../setup/engine-test.ts';

/** When it is killed. */
export interface Moment {
  readonly when: string;
  /** The request, as `METHOD /path`, without the API's version. */
  readonly request: RegExp;
  /** Whether the engine still gets that request; its answer nobody hears. */
  readonly reaches: boolean;
}

/** Runs it in the home until then. Throws where it ended before. */
export async function killCompose(
  home: TestHome,
  engine: PrivateEngine,
  args: readonly string[],
  { request, reaches, when }: Moment,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'aixcl-compose-'));
  const socket = join(folder, 'engine.sock');
  let kill = () => {};
  const connections = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = createConnection(engine.socket);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      connections.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
    upstream.pipe(client);
    client.on('data', (bytes) => {
      const [line = ''] = bytes.toString('latin1').split('\r\n', 1);
      const found = request.test(line.replace(/^(\S+) \/v[\d.]+/, '$1 '));
      if (!found || reaches) upstream.write(bytes);
      if (found) kill();
    });
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  try {
    const { child, outcome } = spawnCompose(args, `unix://${socket}`, {
      engine,
      cwd: home.root,
      env: { ...home.env, HOME: home.root },
    });
    kill = () => child.kill('SIGKILL');
    const { code, stderr } = await outcome;
    if (code !== 128 + 9)
      throw new Error(`compose ended with ${code}, and was to be killed ${when}:\n${stderr}`);
  } finally {
    for (const connection of connections) connection.destroy();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true, force: true });
  }
}
