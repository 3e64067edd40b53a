import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseAddress, resolveAddress } from './address.ts';

let config = '';
beforeEach(() => {
  config = mkdtempSync(join(tmpdir(), 'aixcl-docker-'));
});
afterEach(() => rmSync(config, { recursive: true }));

/** Lies where `docker context create` puts it; test/engine/ holds the same against the client's own. */
function context(name: string, docker: object): void {
  const folder = join(config, 'contexts', 'meta', createHash('sha256').update(name).digest('hex'));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'meta.json'), JSON.stringify({ Name: name, Endpoints: { docker } }));
}

async function resolved(
  wish: { host?: string; context?: string } = {},
  env: Record<string, string> = {},
): Promise<string> {
  return (await resolveAddress({ ...wish, env: { DOCKER_CONFIG: config, ...env } })).display;
}

test('the order is --host, --context, DOCKER_HOST, DOCKER_CONTEXT, the chosen context, the default socket', async () => {
  expect(await resolved()).toBe('unix:///var/run/docker.sock');
  for (const name of ['flag', 'env', 'chosen']) context(name, { Host: `unix:///${name}` });
  writeFileSync(join(config, 'config.json'), JSON.stringify({ currentContext: 'chosen' }));
  expect(await resolved()).toBe('unix:///chosen');
  expect(await resolved({}, { DOCKER_CONTEXT: 'env' })).toBe('unix:///env');
  const env = { DOCKER_CONTEXT: 'env', DOCKER_HOST: 'unix:///host' };
  expect(await resolved({}, env)).toBe('unix:///host');
  expect(await resolved({ context: 'flag' }, env)).toBe('unix:///flag');
  expect(await resolved({ host: 'unix:///mine' }, env)).toBe('unix:///mine');
});

test('the context "default" is DOCKER_HOST, else the default socket', async () => {
  writeFileSync(join(config, 'config.json'), JSON.stringify({ currentContext: 'default' }));
  expect(await resolved()).toBe('unix:///var/run/docker.sock');
  expect(await resolved({ context: 'default' }, { DOCKER_HOST: 'unix:///host' })).toBe('unix:///host');
});

test('--host together with --context, and an unknown context, are refused', async () => {
  await expect(resolved({ host: 'unix:///x', context: 'y' })).rejects.toMatchObject({ code: 'usage' });
  await expect(resolved({ context: 'typo' })).rejects.toMatchObject({
    code: 'notFound',
    message: 'there is no Docker context "typo"',
  });
});

test('a broken config.json is named', async () => {
  writeFileSync(join(config, 'config.json'), '{');
  await expect(resolved()).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining(join(config, 'config.json')),
  });
});

test.each([
  'ssh://user@nas',
  'tcp://192.168.1.5:2375',
  'tcp://nas:2376',
  'https://nas',
  'tcp://127.evil.example:1',
])('%s is on another machine and refused, by flag, variable or context', async (host) => {
  context('far', { Host: host });
  const expected = { code: 'refused', message: expect.stringContaining('on another machine') };
  await expect(resolved({ host })).rejects.toMatchObject(expected);
  await expect(resolved({}, { DOCKER_HOST: host })).rejects.toMatchObject(expected);
  await expect(resolved({ context: 'far' })).rejects.toMatchObject(expected);
});

test.each(['npipe:////./pipe/docker', 'nonsense', 'tcp://', '/var/run/docker.sock', 'fd://'])(
  '%s is no address',
  (address) => {
    expect(() => parseAddress(address, undefined)).toThrow(expect.objectContaining({ code: 'usage' }));
  },
);

test.each([
  ['unix://', { socketPath: '/var/run/docker.sock' }],
  ['unix:///run/x.sock', { socketPath: '/run/x.sock' }],
  ['tcp://127.0.0.1:4243', { tcp: { host: '127.0.0.1', port: 4243 } }],
  ['tcp://localhost', { tcp: { host: 'localhost', port: 2375 } }],
  ['tcp://[::1]:4243', { tcp: { host: '::1', port: 4243 } }],
])('%s is on this machine', (address, expected) => {
  expect(parseAddress(address, undefined)).toMatchObject(expected);
});

test('TLS comes from DOCKER_CERT_PATH and DOCKER_TLS_VERIFY, or from the context', async () => {
  const tls = { DOCKER_CERT_PATH: '/certs', DOCKER_TLS_VERIFY: '1' };
  const wish = { env: { DOCKER_CONFIG: config, DOCKER_HOST: 'tcp://127.0.0.1', ...tls } };
  expect((await resolveAddress(wish)).tcp).toEqual({
    host: '127.0.0.1',
    port: 2376,
    tls: { folder: '/certs', verify: true },
  });
  context('tls', { Host: 'tcp://127.0.0.1:9', SkipTLSVerify: true });
  const { tcp } = await resolveAddress({ context: 'tls', env: { DOCKER_CONFIG: config } });
  expect(tcp?.tls).toMatchObject({ verify: false });
  expect(tcp?.tls?.folder).toMatch(/contexts\/tls\/[0-9a-f]{64}\/docker$/);
});
