import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { writeSelfTestModel } from '../../src/models/self-test-model.ts';
import {
  aixcl,
  blobFile,
  describeEngine,
  engineTest,
  makeHome,
  manifestFile,
  pushModel,
  startRegistry,
} from '../setup/engine-test.ts';
import { describeWithOllama, stepsOf } from './ollama-stack.ts';

describeWithOllama('undo of an update', (ollamaHome) => {
  engineTest('has the version before again, every blob of it, and the next undo the newer one', async () => {
    await using registry = await startRegistry();
    await using home = await ollamaHome();
    const old = await pushModel(registry, 'tea', { seed: 'old' });
    const name = registry.name('tea');
    await home.ok('models', 'add', name);
    const next = await pushModel(registry, 'tea', { seed: 'new' });
    await home.ok('models', 'add', name, '--yes');
    for (const model of [old, next]) {
      await home.ok('undo', '--yes');
      expect(await readFile(manifestFile(home.ollama, name))).toEqual(model.manifest);
      for (const { digest, content } of model.blobs) {
        expect(await readFile(blobFile(home.ollama, digest))).toEqual(content);
      }
      await home.ok('models', 'verify');
    }
  });
});

describeEngine('undo, without an engine', () => {
  const env = { DOCKER_HOST: 'unix:///nonexistent/docker.sock' };

  engineTest('of a model that models add replaced has the one before again', async () => {
    await using home = await makeHome();
    const [first, second] = [join(home.root, 'first', 'tea.gguf'), join(home.root, 'second', 'tea.gguf')];
    for (const path of [first, second]) {
      await mkdir(join(path, '..'));
      await writeSelfTestModel(path, `This is ${path}.`);
    }
    const run = (...args: string[]) => aixcl(args, { home, env });
    expect((await run('models', 'add', first)).code).toBe(0);
    expect((await run('models', 'add', second)).code).toBe(3);
    expect((await run('models', 'add', second, '--yes')).code).toBe(0);
    expect(await readFile(join(home.models, 'tea.gguf'))).toEqual(await readFile(second));
    expect((await run('undo')).code).toBe(3);
    expect((await run('undo', '--yes')).code).toBe(0);
    expect(await readFile(join(home.models, 'tea.gguf'))).toEqual(await readFile(first));
  });

  engineTest('of what stands there already, as it was, changes nothing and says so', async () => {
    await using home = await makeHome();
    await mkdir(home.models);
    const path = join(home.models, 'tea.gguf');
    await writeSelfTestModel(path);
    const run = (...args: string[]) => aixcl(args, { home, env });
    expect((await run('models', 'remove', 'tea.gguf', '--yes')).code).toBe(0);
    await writeSelfTestModel(path);
    const outcome = await run('undo', '--format', 'json');
    expect(outcome.code).toBe(0);
    expect(stepsOf(outcome)).toEqual(['keep tea.gguf kept']);
    expect(outcome.json[0]?.changed).toBe(false);
    await rm(path);
    expect((await run('undo')).code).toBe(4);
    expect((await run('backups', 'restore', 'b0001')).code).toBe(0);
    expect((await run('models', 'verify')).code).toBe(0);
  });
});
