import { readFile, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import {
  compose,
  describeEngine,
  docker,
  dockerApi,
  engineTest,
  type TestHome,
  testEngine,
} from '../setup/engine-test.ts';
import { answerOf, homeWithModels, ok, sentences, untilServed, writeModelsFile } from './llama-stack.ts';

describeEngine('the active model', () => {
  let home: TestHome;

  beforeAll(async () => {
    home = await homeWithModels();
    await ok(home, 'stack', 'start', 'llama-server');
    await ok(home, 'models', 'activate', 'b.gguf');
  });
  afterAll(() => home?.[Symbol.asyncDispose]());

  const path = (name: string) => join(home.models, name);
  const restart = () => docker(['restart', 'llama-server']);
  const start = () => ok(home, 'stack', 'start', 'llama-server');

  async function expectB(): Promise<void> {
    await untilServed(home, 'b.gguf');
    expect(await answerOf(home)).toBe(sentences['b.gguf']);
    await expectRecorded('b.gguf');
  }

  /** Link and file are written once the model is healthy, so a moment after it answers. */
  async function expectRecorded(model: string): Promise<void> {
    await expect.poll(() => readlink(path('current.gguf'))).toBe(model);
    await expect.poll(() => readFile(path('.active_model'), 'utf8')).toBe(`${model}\n`);
  }

  engineTest('survives docker restart', async () => {
    await restart();
    await expectB();
  });

  engineTest('survives its process being killed from the host, then a restart', async () => {
    const pid = await serverPid();
    process.kill(pid, 'SIGKILL');
    await untilServed(home, 'b.gguf');
    expect(await serverPid()).not.toBe(pid);
    await restart();
    await expectB();
  });

  const damages: readonly (readonly [what: string, harm: () => Promise<void>])[] = [
    ['current.gguf deleted', () => rm(path('current.gguf'))],
    ['.active_model deleted', () => rm(path('.active_model'))],
    ['a dangling link', () => link('gone.gguf')],
    ['a link out of the directory', () => link('../../etc/passwd')],
    ['a link to itself', () => link('current.gguf')],
    ['.active_model naming a file outside', () => writeModelsFile(home, '.active_model', '../../etc/passwd')],
    ['.active_model of two lines', () => writeModelsFile(home, '.active_model', 'a.gguf\nb.gguf\n')],
    ['.active_model with CRLF', () => writeModelsFile(home, '.active_model', 'a.gguf\r\n')],
    ['.active_model with a byte order mark', () => writeModelsFile(home, '.active_model', '\uFEFFa.gguf\n')],
    ['.active_model empty', () => writeModelsFile(home, '.active_model', '')],
  ];
  for (const [what, harm] of damages) {
    engineTest(`survives ${what}, then a restart`, async () => {
      await docker(['stop', 'llama-server']);
      await harm();
      await docker(['start', 'llama-server']);
      await expectB();
    });
  }

  engineTest('survives docker kill, then stack start', async () => {
    await docker(['kill', 'llama-server']);
    await start();
    await expectB();
  });

  engineTest('survives docker rm -f, then stack start', async () => {
    await docker(['rm', '-f', 'llama-server']);
    await start();
    await expectB();
  });

  engineTest('survives kill -9 of the daemon, then stack start', async () => {
    await testEngine().kill();
    await testEngine().start();
    await start();
    await expectB();
  });

  engineTest('survives a changed image, then stack start', async () => {
    const before = await dockerApi().getContainer('llama-server').inspect();
    await docker(['commit', '--change', 'LABEL other=1', 'llama-server', 'aixcl-test/llama-server:other']);
    const changed = { ...home, env: { ...home.env, LLAMA_SERVER_IMAGE: 'aixcl-test/llama-server:other' } };
    await ok(changed as TestHome, 'stack', 'start', 'llama-server');
    const after = await dockerApi().getContainer('llama-server').inspect();
    expect(after.Image).not.toBe(before.Image);
    await expectB();
    await start();
    await expectB();
  });

  engineTest('survives plain docker compose down and up, without aixcl', async () => {
    const run = (...args: string[]) => compose(args, { cwd: home.root, env: home.env });
    expect((await run('down')).code).toBe(0);
    expect(await dockerApi().listContainers({ all: true })).toHaveLength(0);
    const up = await run('up', '-d', 'llama-server');
    expect(up.code, up.stderr).toBe(0);
    await expectB();
    await start();
    await expectB();
  });

  engineTest('is switched by a hand that edits .active_model alone, within 5 s', async () => {
    await writeModelsFile(home, '.active_model', 'a.gguf\n');
    await untilServed(home, 'a.gguf', 5000);
    await expectRecorded('a.gguf');
    await ok(home, 'models', 'activate', 'b.gguf');
  });

  engineTest('is switched by a hand that sets current.gguf alone, within 5 s', async () => {
    await link('a.gguf');
    await untilServed(home, 'a.gguf', 5000);
    await expectRecorded('a.gguf');
    await ok(home, 'models', 'activate', 'b.gguf');
  });

  async function link(target: string): Promise<void> {
    await rm(path('current.gguf'), { force: true });
    await symlink(target, path('current.gguf'));
  }

  /** Process id of llama-server as this machine sees it. */
  async function serverPid(): Promise<number> {
    const { Processes, Titles } = await dockerApi().getContainer('llama-server').top();
    const row = Processes.find((process: string[]) => process.at(-1)?.includes('llama-server --model'));
    if (!row) throw new Error(`llama-server does not run: ${JSON.stringify(Processes)}`);
    return Number(row[Titles.indexOf('PID')]);
  }
});
