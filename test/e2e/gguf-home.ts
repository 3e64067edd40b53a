import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { writeSelfTestModel } from '../../src/models/self-test-model.ts';
import { type Aixcl, aixcl, makeHome, type TestHome } from '../setup/engine-test.ts';

/** Nobody is asked: GGUF models need no engine. */
export const none = { DOCKER_HOST: 'unix:///nonexistent/docker.sock' };

/** A home with a model under each of these names. */
export async function homeWith(...names: string[]): Promise<TestHome> {
  const home = await makeHome();
  await mkdir(home.models);
  for (const name of names) await writeSelfTestModel(join(home.models, name), `This is ${name}.`);
  return home;
}

/** Runs aixcl without an engine and expects exit code 0. */
export async function ok(home: TestHome, ...args: string[]): Promise<Aixcl> {
  const outcome = await aixcl(args, { home, env: none });
  expect(outcome.code, outcome.stderr).toBe(0);
  return outcome;
}
