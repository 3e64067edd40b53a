import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { environment } from './environment.ts';
import { globalFlags } from './globals.ts';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'aixcl-env-'));
  vi.stubEnv('AIXCL_HOME', home);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});

const write = (name: string, content: string) => {
  writeFileSync(join(home, name), content);
  return join(home, name);
};

test("the process's variables go over --env-file, and that over the home's .env", async () => {
  write('.env', 'A=home\nB=home\nC=home\nE=home\n');
  const more = write('more', 'B=more\nC=more\nD=$' + '{A}-$' + '{E}\n');
  const last = write('last', 'C=last\n');
  vi.stubEnv('A', 'process');
  expect(await environment(globalFlags({ envFile: [more, last] }))).toMatchObject({
    A: 'process',
    B: 'more',
    C: 'last',
    D: 'process-home',
  });
});

test('a home without .env, or with an empty one, is as good as any', async () => {
  expect(await environment(globalFlags({}))).toMatchObject({ AIXCL_HOME: home });
  write('.env', '\n');
  expect(await environment(globalFlags({}))).toMatchObject({ AIXCL_HOME: home });
});

test('which home this is, and which files, is never taken from its .env: it may have been moved', async () => {
  write('.env', 'AIXCL_HOME=/old\nCOMPOSE_FILE=/old/compose.yaml\nCOMPOSE_PROJECT_NAME=mine\n');
  const found = await environment(globalFlags({}));
  expect(found).toMatchObject({ AIXCL_HOME: home, COMPOSE_PROJECT_NAME: 'mine' });
  expect(found.COMPOSE_FILE).toBeUndefined();
});

test("a stack named by -f does not get this home's project name", async () => {
  write('.env', 'COMPOSE_PROJECT_NAME=mine\nA=1\n');
  const found = await environment(globalFlags({ file: ['other.yaml'] }));
  expect(found.COMPOSE_PROJECT_NAME).toBeUndefined();
  expect(found.A).toBe('1');
});

test('an --env-file that is not there, and a line that is none, are usage errors that name the place', async () => {
  await expect(environment(globalFlags({ envFile: ['/no/such'] }))).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('/no/such'),
  });
  const broken = write('.env', 'A=1\nB="open\n');
  await expect(environment(globalFlags({}))).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining(`${broken}:2:`),
  });
});
