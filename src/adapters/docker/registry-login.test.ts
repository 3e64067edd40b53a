import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { registryLogin, registryOf } from './registry-login.ts';

let config = '';
beforeEach(() => {
  config = mkdtempSync(join(tmpdir(), 'aixcl-login-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(config, { recursive: true });
});

const hub = 'https://index.docker.io/v1/';

test.each([
  ['ollama', hub],
  ['ollama/ollama:1', hub],
  ['docker.io/ollama/ollama', hub],
  ['index.docker.io/library/x', hub],
  ['ghcr.io/ggml-org/llama.cpp:server', 'ghcr.io'],
  ['localhost/x', 'localhost'],
  ['127.0.0.1:5000/x@sha256:00', '127.0.0.1:5000'],
])('%s lies at %s', (reference, registry) => {
  expect(registryOf(reference)).toBe(registry);
});

const login = (reference: string) => registryLogin(reference, { DOCKER_CONFIG: config });
const write = (content: object) => writeFileSync(join(config, 'config.json'), JSON.stringify(content));

test('without a login there is none', async () => {
  expect(await login('ghcr.io/x')).toBeUndefined();
  write({ auths: { 'ghcr.io': {} } });
  expect(await login('ghcr.io/x')).toBeUndefined();
});

test('a stored login is used for its own registry alone', async () => {
  write({ auths: { 'ghcr.io': { auth: Buffer.from('me:pass:word').toString('base64') } } });
  expect(await login('ghcr.io/x')).toEqual({
    username: 'me',
    password: 'pass:word',
    serveraddress: 'ghcr.io',
  });
  expect(await login('quay.io/x')).toBeUndefined();
});

test('a credential helper is asked; one that is not there or fails means no login', async () => {
  const helper = join(config, 'docker-credential-test');
  writeFileSync(
    helper,
    '#!/bin/sh\nread server\nprintf \'{"ServerURL":"%s","Username":"u","Secret":"s-%s"}\' "$server" "$server"\n',
  );
  chmodSync(helper, 0o755);
  vi.stubEnv('PATH', `${config}:${process.env.PATH}`);
  write({ credHelpers: { 'ghcr.io': 'test' }, credsStore: 'gone' });
  expect(await login('ghcr.io/x')).toEqual({
    username: 'u',
    password: 's-ghcr.io',
    serveraddress: 'ghcr.io',
  });
  expect(await login('quay.io/x')).toBeUndefined();
});
