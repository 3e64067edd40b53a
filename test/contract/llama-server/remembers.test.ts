import { chown, rename, rm, symlink, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import { describeEngine, docker, engineTest } from '../../setup/engine-test.ts';
import {
  exists,
  type Models,
  makeModels,
  neverHealthyWith,
  ownFolder,
  type Server,
  settled,
  startServer,
} from './server.ts';

/** Two models, of which `b.gguf` was activated by request. */
async function serverWithB(): Promise<{ models: Models; server: Server } & AsyncDisposable> {
  const models = await makeModels('a.gguf', 'b.gguf');
  const server = await startServer(models);
  await server.serves('a.gguf');
  const state = await settled(models, await models.request('b.gguf'));
  expect(state).toMatchObject({ phase: 'ready', active: 'b.gguf', result: 'applied', last_good: 'b.gguf' });
  await server.serves('b.gguf');
  return {
    models,
    server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await models[Symbol.asyncDispose]();
    },
  };
}

/** Shell words that end within 20 ms of llama-server's first answer with `a.gguf`. */
const untilAAnswers = 'until curl -s http://localhost:8080/v1/models | grep -q a.gguf; do sleep 0.02; done';

/** `ln -sfn TARGET current.gguf`. */
async function relink(models: Models, target: string): Promise<void> {
  const temporary = join(models.path, '.link');
  await symlink(target, temporary);
  await rename(temporary, join(models.path, 'current.gguf'));
}

describeEngine('llama-server keeps its active model', () => {
  engineTest('through a restart of the container', async () => {
    await using both = await serverWithB();
    await both.server.docker('restart');
    await both.server.serves('b.gguf');
    await expect
      .poll(() => both.server.logs())
      .toMatch(/Active Model: b\.gguf\nSize: .*bytes\)\nPath: \/models\/b\.gguf/);
  });

  engineTest('when its process is killed from outside', async () => {
    await using both = await serverWithB();
    const [before] = await both.server.processes();
    process.kill(before!, 'SIGKILL');
    await expect
      .poll(() => both.server.processes().then(([pid]) => pid !== undefined && pid !== before), {
        timeout: 10_000,
      })
      .toBe(true);
    await both.server.serves('b.gguf');
    await expect.poll(() => both.models.state()).toMatchObject({ active: 'b.gguf', result: 'applied' });
    const { stdout } = await docker([
      'inspect',
      '--format',
      '{{.RestartCount}} {{.State.Running}}',
      both.server.name,
    ]);
    expect(stdout.trim()).toBe('0 true');
  });

  engineTest('when current.gguf is deleted, at once and through a restart', async () => {
    await using both = await serverWithB();
    await unlink(join(both.models.path, 'current.gguf'));
    await expect.poll(() => both.models.link(), { timeout: 5000 }).toBe('b.gguf');
    await both.server.docker('stop');
    await unlink(join(both.models.path, 'current.gguf'));
    await both.server.docker('start');
    await both.server.serves('b.gguf');
    await expect.poll(() => both.models.link()).toBe('b.gguf');
  });

  engineTest('when .active_model is deleted, at once and through a restart', async () => {
    await using both = await serverWithB();
    await unlink(join(both.models.path, '.active_model'));
    await expect.poll(() => both.models.activeFile().catch(() => ''), { timeout: 5000 }).toBe('b.gguf\n');
    await both.server.docker('stop');
    await unlink(join(both.models.path, '.active_model'));
    await both.server.docker('start');
    await both.server.serves('b.gguf');
    await expect.poll(() => both.models.activeFile()).toBe('b.gguf\n');
  });

  engineTest('when its own state is deleted', async () => {
    await using both = await serverWithB();
    await both.server.docker('stop');
    await rm(join(both.models.path, '.aixcl'), { recursive: true });
    await both.server.docker('start');
    await both.server.serves('b.gguf');
  });

  for (const [what, target] of [
    ['dangles', 'gone.gguf'],
    ['loops', 'current.gguf'],
    ['leaves the directory', '../../etc/passwd'],
    ['is absolute', '/etc/passwd'],
    ['leads to a folder outside', '/etc'],
  ] as const) {
    engineTest(`when current.gguf ${what}, which is said and mended`, async () => {
      await using both = await serverWithB();
      await relink(both.models, target);
      await expect.poll(() => both.models.link(), { timeout: 5000 }).toBe('b.gguf');
      await expect
        .poll(() => both.models.state())
        .toMatchObject({
          result: 'refused',
          reason: expect.stringMatching(/^current\.gguf/),
        });
      expect(await both.server.served()).toBe('b.gguf');

      await both.server.docker('stop');
      await relink(both.models, target);
      await both.server.docker('start');
      await both.server.serves('b.gguf');
      await expect.poll(() => both.models.link()).toBe('b.gguf');
      await expect.poll(async () => (await both.models.state()).notice).toMatch(/current\.gguf/);
    });
  }

  engineTest('and says no more, a start later, why it refused what is mended', async () => {
    await using both = await serverWithB();
    await relink(both.models, 'gone.gguf');
    await expect
      .poll(() => both.models.state(), { timeout: 5000 })
      .toMatchObject({ result: 'refused', reason: expect.stringMatching(/gone\.gguf/) });
    await both.server.docker('restart');
    await both.server.serves('b.gguf');
    const { phase, reason, result } = await both.models.state();
    expect({ phase, reason, result }).toEqual({ phase: 'ready', reason: undefined, result: undefined });
  });

  engineTest('and still tells the command line, a start later, why it refused a request', async () => {
    await using both = await serverWithB();
    const id = await both.models.request('gone.gguf');
    const told = {
      request: id,
      want: 'gone.gguf',
      result: 'refused',
      reason: expect.stringMatching(/there is no gone\.gguf/),
    };
    expect(await settled(both.models, id)).toMatchObject(told);
    await both.server.docker('restart');
    await both.server.serves('b.gguf');
    expect(await both.models.state()).toMatchObject({ ...told, phase: 'ready' });
  });

  engineTest('and sweeps up what killed commands left half written an hour ago', async () => {
    await using models = await makeModels('a.gguf');
    await ownFolder(models.path);
    const [old, fresh] = ['.aixcl/.tmp-0123456789ab', '.aixcl/.tmp-ba9876543210'];
    const oldArguments = '.aixcl/args/.tmp-0123456789ab';
    for (const name of [old, oldArguments, fresh]) await models.write(name, 'half');
    const overAnHour = new Date(Date.now() - 62 * 60_000);
    for (const name of [old, oldArguments]) await utimes(join(models.path, name), overAnHour, overAnHour);
    for (const name of [old, oldArguments, fresh]) await chown(join(models.path, name), 1000, 1000);
    await using server = await startServer(models);
    await server.serves('a.gguf');
    const there = await Promise.all([old, oldArguments, fresh].map((name) => exists(models, name)));
    expect(there).toEqual([false, false, true]);
  });

  for (const [what, content, why] of [
    ['a path out of the directory', '../../etc/passwd', /plain name/],
    ['an absolute path', '/etc/passwd\n', /plain name/],
    ['two lines', 'a.gguf\nb.gguf\n', /more than one line/],
    ['Windows line ends', 'a.gguf\r\n', /carriage return/],
    ['a byte order mark', '\uFEFFa.gguf\n', /byte order mark/],
    ['nothing', '', /empty/],
    ['a NUL byte', 'a.gguf\0\n', /NUL/],
    ['an option', '-rf\n', /plain name/],
    ['a name without a model', 'gone.gguf\n', /there is no gone\.gguf/],
    ['ten megabytes', 'a'.repeat(10_000_000), /longer than a name/],
  ] as const) {
    engineTest(`when .active_model holds ${what}, which is refused, said and rewritten`, async () => {
      await using both = await serverWithB();
      await both.models.write('.active_model', content);
      await expect.poll(() => both.models.activeFile(), { timeout: 5000 }).toBe('b.gguf\n');
      await expect
        .poll(() => both.models.state())
        .toMatchObject({
          phase: 'ready',
          active: 'b.gguf',
          result: 'refused',
          reason: expect.stringMatching(why),
        });
      await expect.poll(() => both.server.logs()).toMatch(why);
      expect(await both.models.link()).toBe('b.gguf');

      await both.server.docker('stop');
      await both.models.write('.active_model', content);
      await both.server.docker('start');
      await both.server.serves('b.gguf');
      await expect.poll(() => both.models.activeFile()).toBe('b.gguf\n');
      await expect.poll(async () => (await both.models.state()).notice).toMatch(why);
    });
  }

  engineTest('and does not read through an .active_model that is a link', async () => {
    await using both = await serverWithB();
    await unlink(join(both.models.path, '.active_model'));
    await symlink('/etc/passwd', join(both.models.path, '.active_model'));
    await expect.poll(() => both.models.activeFile(), { timeout: 5000 }).toBe('b.gguf\n');
    await expect.poll(async () => (await both.models.state()).reason).toMatch(/no regular file/);
  });
});

describeEngine("llama-server obeys a hand's edit within five seconds", () => {
  engineTest('of .active_model', async () => {
    await using both = await serverWithB();
    await both.models.write('.active_model', 'a.gguf\n');
    await both.server.serves('a.gguf', 5000);
    await expect.poll(() => both.models.link()).toBe('a.gguf');
    await expect.poll(() => both.models.state()).toMatchObject({ active: 'a.gguf', result: 'applied' });
  });

  engineTest('of .active_model, and not of one that is only half written', async () => {
    await using both = await serverWithB();
    // It looks once a second: some of these moments it sees, and between any two of them it sees the whole file.
    for (let time = 0; time < 8; time++) {
      await both.models.write('.active_model', '');
      await setTimeout(450);
      await both.models.write('.active_model', 'b.gguf\n');
      await setTimeout(1150);
    }
    expect(await both.server.logs()).not.toMatch(/empty/);
  });

  for (const [what, there, back] of [
    ['of current.gguf', 'echo a.gguf >.active_model', 'ln -sfn b.gguf current.gguf'],
    ['of .active_model', 'ln -sfn a.gguf current.gguf', 'echo b.gguf >.active_model'],
  ] as const) {
    engineTest(`${what}, back to the earlier model, at the moment that the later one answers`, async () => {
      await using both = await serverWithB();
      for (let round = 1; round <= 5; round++) {
        await both.server.exec('sh', '-c', `cd /models && ${there} && ${untilAAnswers} && ${back}`);
        await both.server.serves('b.gguf', 5000);
        // Where both are recorded, nothing brings A back.
        await expect.poll(() => both.models.link(), { message: `round ${round}` }).toBe('b.gguf');
        await expect.poll(() => both.models.activeFile()).toBe('b.gguf\n');
        await expect.poll(() => both.models.state()).toMatchObject({ active: 'b.gguf', result: 'applied' });
      }
    });
  }

  engineTest(
    'of current.gguf to the text it has, while another model loads: that ends the load',
    async () => {
      await using models = await makeModels('a.gguf', 'b.gguf');
      await writeFile(join(models.path, 'slow'), neverHealthyWith('b.gguf'), { mode: 0o755 });
      await using server = await startServer(models, {
        options: ['--volume', `${models.path}/slow:/app/llama-server:ro`],
      });
      await server.serves('a.gguf');
      await models.write('.active_model', 'b.gguf\n');
      await expect.poll(() => models.state(), { timeout: 5000 }).toMatchObject({ model: 'b.gguf' });
      await relink(models, 'a.gguf');
      await server.serves('a.gguf', 5000);
      await expect.poll(() => models.activeFile()).toBe('a.gguf\n');
    },
  );

  engineTest('of current.gguf', async () => {
    await using both = await serverWithB();
    await relink(both.models, 'a.gguf');
    await both.server.serves('a.gguf', 5000);
    await expect.poll(() => both.models.activeFile()).toBe('a.gguf\n');
  });

  engineTest('of both: the link goes first', async () => {
    await using both = await serverWithB();
    await both.models.add('c.gguf');
    await both.models.write('.active_model', 'c.gguf\n');
    await relink(both.models, 'a.gguf');
    await both.server.serves('a.gguf', 5000);
    await expect.poll(() => both.models.activeFile()).toBe('a.gguf\n');
  });

  engineTest('made while the container was stopped', async () => {
    await using both = await serverWithB();
    await both.server.docker('stop');
    await both.models.write('.active_model', 'a.gguf\n');
    await both.server.docker('start');
    await both.server.serves('a.gguf');
    await expect.poll(() => both.models.link()).toBe('a.gguf');
  });

  engineTest('that puts a model where the link stood: it gets a name of its own', async () => {
    await using both = await serverWithB();
    await unlink(join(both.models.path, 'current.gguf'));
    await both.models.add('current.gguf');
    await expect
      .poll(() => both.server.served(), { timeout: 10_000 })
      .toMatch(/^current-\d{8}T\d{6}Z\.gguf$/);
    await expect.poll(() => both.models.link()).toMatch(/^current-\d{8}T\d{6}Z\.gguf$/);
  });

  engineTest('and never overwrites a file at current.gguf, whatever it holds', async () => {
    await using both = await serverWithB();
    await both.server.docker('stop');
    await unlink(join(both.models.path, 'current.gguf'));
    await writeFile(join(both.models.path, 'current.gguf'), 'the only copy of something');
    await both.server.docker('start');
    await both.server.serves('b.gguf');
    await expect.poll(() => both.models.link()).toBe('b.gguf');
    const kept = /kept as (current-\S+)/.exec(await both.server.logs())?.[1];
    expect((await both.server.exec('cat', `/models/${kept}`)).stdout).toBe('the only copy of something');
  });
});
