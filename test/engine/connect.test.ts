import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connect } from '../../src/adapters/docker/connect.ts';
import { docker, testEngine } from '../setup/engine-test.ts';
import { describeOneEngine } from './both-engines.ts';

let folder = '';
const servers: Server[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aixcl-connect-'));
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  rmSync(folder, { recursive: true });
});

async function listening(server: Server, at: string | 0): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) =>
    server.listen(at === 0 ? { port: 0, host: '127.0.0.1' } : at, resolve),
  );
  return at === 0 ? `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` : `unix://${at}`;
}

/** What claims to be an engine, and the paths that it was asked for. */
async function claiming(version: string | undefined, asked: string[] = []): Promise<string> {
  const server = createHttpServer((request: IncomingMessage, response) => {
    asked.push(request.url ?? '');
    if (version) response.setHeader('Api-Version', version);
    response.setHeader('Content-Type', 'application/json');
    response.end(request.url?.endsWith('_ping') ? 'OK' : '[]');
  });
  return listening(server, 0);
}

async function failure(host: string): Promise<{ code: string; message: string; hint: string; took: number }> {
  const began = performance.now();
  const error = await connect({ host, env: {} }).then(
    () => ({ code: 'connected', message: '', hint: '' }),
    ({ code, message, hint }) => ({ code, message, hint }),
  );
  return { ...error, took: performance.now() - began };
}

describeOneEngine('connecting', (given) => {
  test('reads contexts as the docker client writes them, by flag, by variable and as the chosen one', async () => {
    const env = { DOCKER_CONFIG: folder };
    const own = { env };
    const host = testEngine().host;
    const make = (name: string, at: string) =>
      docker(['context', 'create', name, '--docker', `host=${at}`], own);
    expect(await make('local.lab_1', host)).toMatchObject({ code: 0 });
    expect(await make('far', 'ssh://user@nas')).toMatchObject({ code: 0 });
    expect((await connect({ context: 'local.lab_1', env })).address).toBe(host);
    expect((await connect({ env: { ...env, DOCKER_CONTEXT: 'local.lab_1' } })).address).toBe(host);
    await expect(connect({ context: 'far', env })).rejects.toMatchObject({ code: 'refused' });

    expect(
      await docker(['context', 'use', 'local.lab_1'], { env: { ...env, DOCKER_HOST: '' } }),
    ).toMatchObject({
      code: 0,
    });
    const engine = await connect({ env });
    expect(engine.address).toBe(host);
    expect((await engine.listContainers()).length).toBe((await given().port.listContainers()).length);
    // As for the docker client, the variable goes over the chosen context.
    const other = await claiming('1.44');
    expect((await connect({ env: { ...env, DOCKER_HOST: other } })).address).toBe(other);
  });

  test('takes DOCKER_HOST and --host', async () => {
    const { host } = testEngine();
    expect((await connect({ env: { DOCKER_HOST: host } })).address).toBe(host);
    expect((await connect({ host, env: { DOCKER_HOST: 'ssh://nas' } })).address).toBe(host);
  });

  test('speaks the version of an older engine, and its own with a newer one', async () => {
    for (const [offered, spoken] of [
      ['1.41', 'v1.41'],
      ['1.47', 'v1.47'],
      ['1.51', 'v1.51'],
      ['1.60', 'v1.51'],
      ['2.0', 'v1.51'],
    ] as const) {
      const asked: string[] = [];
      const engine = await connect({ host: await claiming(offered, asked), env: {} });
      await engine.listContainers();
      expect(asked[0]).toBe('/_ping');
      expect(asked[1]).toMatch(new RegExp(`^/${spoken}/containers/json`));
    }
  });

  test('refuses an engine that is too old, and what is no engine', async () => {
    expect(await failure(await claiming('1.40'))).toMatchObject({
      code: 'refused',
      message: expect.stringContaining('speaks API 1.40; aixcl needs 1.41'),
      hint: expect.stringContaining('20.10'),
    });
    expect(await failure(await claiming(undefined))).toMatchObject({
      code: 'engineUnreachable',
      message: expect.stringContaining('not a Docker engine'),
    });
  });

  test.each([
    ['a socket that is not there', async () => `unix://${join(folder, 'none.sock')}`, 'there is no socket'],
    ['a port that nobody listens on', async () => 'tcp://127.0.0.1:1', 'nobody listens'],
    ['a file that is no socket', async () => 'unix:///etc/passwd', 'nobody listens'],
    [
      'a socket that hangs',
      () => listening(createServer(), join(folder, 'hangs.sock')),
      'did not answer in time',
    ],
    ['a port that hangs', () => listening(createServer(), 0), 'did not answer in time'],
    [
      'what hangs up',
      () =>
        listening(
          createServer((socket) => socket.destroy()),
          join(folder, 'hangup.sock'),
        ),
      'broke the connection off',
    ],
    [
      'what talks no HTTP',
      () =>
        listening(
          createServer((socket) => socket.end('SSH-2.0-x\r\n')),
          join(folder, 'ssh.sock'),
        ),
      'not a Docker engine',
    ],
  ])('says within 2 s that %s is no engine to be had', async (_what, at, why) => {
    const { code, message, hint, took } = await failure(await at());
    expect(message).toContain(why);
    expect(code).toBe('engineUnreachable');
    expect(hint).not.toBe('');
    expect(took).toBeLessThan(2000);
  });
});
