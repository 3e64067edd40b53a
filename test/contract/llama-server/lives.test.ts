import { rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { describeEngine, docker, engineTest, runProcess } from '../../setup/engine-test.ts';
import { makeModels, type Server, settled, startServer } from './server.ts';

/** A llama-server that never gets healthy and ignores SIGTERM. */
const stubborn = "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n";

async function stops(server: Server): Promise<void> {
  const begin = Date.now();
  await server.docker('stop');
  expect(Date.now() - begin).toBeLessThan(2500);
  const { stdout } = await docker(['inspect', '--format', '{{.State.ExitCode}}', server.name]);
  expect(stdout.trim()).toBe('0');
}

describeEngine('docker stop ends llama-server at once', () => {
  engineTest('while it serves', async () => {
    await using models = await makeModels('a.gguf');
    await using server = await startServer(models);
    await server.serves('a.gguf');
    await stops(server);
  });

  engineTest('while it waits for a model', async () => {
    await using models = await makeModels();
    await using server = await startServer(models);
    await expect.poll(() => models.state(), { timeout: 5000 }).toMatchObject({ phase: 'waiting' });
    await stops(server);
  });

  engineTest('while it loads, which is no failure, and does not lose the wish', async () => {
    await using models = await makeModels('a.gguf', 'b.gguf');
    await writeFile(join(models.path, 'stubborn'), stubborn, { mode: 0o755 });
    const mount = ['--volume', `${models.path}/stubborn:/app/llama-server:ro`];
    await using server = await startServer(models, { options: mount });
    await expect
      .poll(() => models.state(), { timeout: 5000 })
      .toMatchObject({ phase: 'loading', model: 'a.gguf' });
    expect(await server.health()).toEqual({ line: 'aixcl: loading a.gguf', code: 0 });
    const id = await models.request('b.gguf');
    await expect
      .poll(() => models.state(), { timeout: 5000 })
      .toMatchObject({ phase: 'switching', request: id, model: 'b.gguf', result: 'pending' });
    for (const _ of [1, 2, 3, 4]) {
      await stops(server);
      await server.docker('start');
      await expect
        .poll(() => models.state(), { timeout: 5000 })
        .toMatchObject({ request: id, result: 'pending' });
    }
    await server.docker('rm', '--force');
    await using again = await startServer(models);
    expect(await settled(models, id)).toMatchObject({ active: 'b.gguf', result: 'applied' });
    await again.serves('b.gguf');
  });
});

describeEngine('the health check', () => {
  engineTest('fails when llama-server hangs, and costs little', async () => {
    await using models = await makeModels('a.gguf');
    await using server = await startServer(models);
    await server.serves('a.gguf');
    await expect.poll(() => server.health()).toEqual({ line: 'aixcl: ready a.gguf', code: 0 });
    const [pid] = await server.processes();
    process.kill(pid!, 'SIGSTOP');
    expect(await server.health()).toMatchObject({ code: 1 });
    process.kill(pid!, 'SIGCONT');
    expect(await server.health()).toMatchObject({ code: 0 });
  });
});

describeEngine('where it can not write', () => {
  engineTest('llama-server serves all the same: a read-only models directory', async () => {
    await using models = await makeModels('a.gguf', 'b.gguf');
    await models.write('.active_model', 'b.gguf\n');
    await using server = await startServer(models, { mount: 'ro' });
    await server.serves('b.gguf');
    expect(await server.logs()).toMatch(/can't write/);
    expect(await server.health()).toEqual({ line: 'aixcl: ready b.gguf', code: 0 });
  });

  engineTest('llama-server serves all the same, and writes when it can: a full disk', async () => {
    await using models = await makeModels();
    await using _disk = await smallDisk(models.path);
    await writeFile(join(models.path, 'init-models.sh'), '');
    await models.add('a.gguf', 'b.gguf');
    await using server = await startServer(models);
    await server.serves('a.gguf');
    await expect.poll(() => models.state()).toMatchObject({ active: 'a.gguf' });

    const filler = join(models.path, '.filler');
    await writeFile(filler, Buffer.alloc(64 << 20)).catch(() => {});
    await symlink('b.gguf', join(models.path, '.link'));
    await rename(join(models.path, '.link'), join(models.path, 'current.gguf'));
    await server.serves('b.gguf');
    expect(await models.state()).toMatchObject({ active: 'a.gguf' });
    expect(await server.logs()).toMatch(/can't write/);
    await rm(filler);
    await expect
      .poll(() => models.state(), { timeout: 20_000 })
      .toMatchObject({ active: 'b.gguf', phase: 'ready', applied_file: 'b.gguf' });
    expect(await models.activeFile()).toBe('b.gguf\n');
  });
});

describeEngine('the scripts', () => {
  engineTest('run under bash as they do under dash', async () => {
    await using models = await makeModels('a.gguf', 'b.gguf');
    await using server = await startServer(models, { shell: 'bash' });
    await server.serves('a.gguf');
    expect(await settled(models, await models.request('b.gguf'))).toMatchObject({ result: 'applied' });
    await models.write('.active_model', 'a.gguf\0\n');
    await expect.poll(() => models.activeFile(), { timeout: 5000 }).toBe('b.gguf\n');
    const [pid] = await server.processes();
    process.kill(pid!, 'SIGKILL');
    await expect
      .poll(() => server.processes().then(([now]) => now !== undefined && now !== pid), { timeout: 10_000 })
      .toBe(true);
    await server.serves('b.gguf');
    await stops(server);
  });
});

/** A file system of 4 MB, owned by the container's user, mounted at `path`. */
async function smallDisk(path: string): Promise<AsyncDisposable> {
  const mounted = await runProcess(
    'mount',
    ['-t', 'tmpfs', '-o', 'size=4m,uid=1000,gid=1000', 'tmpfs', path],
    {
      env: process.env,
    },
  );
  expect(mounted).toMatchObject({ code: 0 });
  return {
    async [Symbol.asyncDispose]() {
      await runProcess('umount', ['--lazy', path], { env: process.env });
    },
  };
}
