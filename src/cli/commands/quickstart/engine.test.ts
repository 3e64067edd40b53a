import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AixclError } from '../../../errors.ts';
import type { Context } from '../../context.ts';
import { ensureEngine } from './engine.ts';

const started = vi.hoisted(() => vi.fn(async () => {}));
vi.mock('../../../adapters/debian/start-engine.ts', () => ({
  engineInstalled: async () => true,
  startEngine: started,
}));
vi.mock('../../../adapters/debian/install-engine.ts', () => ({
  whyNoEngineInstall: async () => undefined,
  installEngine: started,
}));

const missing = new AixclError('engineUnreachable', 'nobody listens there');
const task = { update() {}, succeed() {}, fail() {} };

function context(flags: { host?: string; context?: string } = {}): Context {
  return {
    flags: { host: undefined, context: undefined, ...flags },
    engine: async () => {
      throw missing;
    },
    confirm: async () => {},
    progress: { start: () => task },
    signal: new AbortController().signal,
  } as unknown as Context;
}

let config = '';
beforeEach(() => {
  config = mkdtempSync(join(tmpdir(), 'aixcl-docker-'));
  started.mockClear();
  for (const name of ['DOCKER_HOST', 'DOCKER_CONTEXT']) vi.stubEnv(name, undefined);
  vi.stubEnv('DOCKER_CONFIG', config);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(config, { recursive: true });
});

test('an engine that the user chose by docker context use is theirs to start', async () => {
  writeFileSync(join(config, 'config.json'), JSON.stringify({ currentContext: 'mine' }));
  const folder = join(config, 'contexts', 'meta', createHash('sha256').update('mine').digest('hex'));
  mkdirSync(folder, { recursive: true });
  const meta = { Name: 'mine', Endpoints: { docker: { Host: 'unix:///mine.sock' } } };
  writeFileSync(join(folder, 'meta.json'), JSON.stringify(meta));
  await expect(ensureEngine(context())).rejects.toBe(missing);
  expect(started).not.toHaveBeenCalled();
});

test('so is one at any address but the default one', async () => {
  await expect(ensureEngine(context({ host: 'unix:///other.sock' }))).rejects.toBe(missing);
  vi.stubEnv('DOCKER_HOST', 'tcp://127.0.0.1:2375');
  await expect(ensureEngine(context())).rejects.toBe(missing);
  expect(started).not.toHaveBeenCalled();
});

test('the engine behind the default socket is started, also where that was named', async () => {
  await ensureEngine(context());
  writeFileSync(join(config, 'config.json'), JSON.stringify({ currentContext: 'default' }));
  await ensureEngine(context());
  vi.stubEnv('DOCKER_HOST', 'unix:///var/run/docker.sock');
  await ensureEngine(context());
  expect(started).toHaveBeenCalledTimes(3);
});
