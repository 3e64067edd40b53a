import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { writeSplitModel, writeUnloadableModel } from '../../src/models/test-models.ts';
import { aixcl, describeEngine, engineTest, makeHome, resetEngine } from '../setup/engine-test.ts';
import { answerOf, homeWithModels, ok, sentences, servedModel, untilServed } from './llama-stack.ts';

describeEngine('an activation', () => {
  engineTest(
    'of a model that parses and does not load goes back: exit 6, the reason, the earlier model serves',
    async () => {
      await using home = await homeWithModels();
      await writeUnloadableModel(join(home.models, 'broken.gguf'));
      await ok(home, 'stack', 'start', 'llama-server');
      await ok(home, 'models', 'activate', 'b.gguf');

      const outcome = await aixcl(['models', 'activate', 'broken.gguf'], { home });
      expect(outcome.code).toBe(6);
      expect(outcome.stderr).toContain('output_norm.weight');
      await untilServed(home, 'b.gguf');
      expect(await answerOf(home)).toBe(sentences['b.gguf']);
      const listed = await aixcl(['models', 'list', '--format', 'json'], { home });
      expect(listed.json.filter(({ active }) => active === true).map(({ name }) => name)).toEqual(['b.gguf']);
    },
  );

  engineTest('with llama-server stopped is recorded, and proven at the next start', async () => {
    await using home = await homeWithModels();
    await ok(home, 'stack', 'start', 'llama-server');
    await ok(home, 'stack', 'stop');
    const outcome = await ok(home, 'models', 'activate', 'b.gguf');
    expect(outcome.stdout).toContain('proven at the next start');
    await ok(home, 'stack', 'start', 'llama-server');
    await untilServed(home, 'b.gguf');
  });

  engineTest('of a split model serves it', async () => {
    await using home = await homeWithModels();
    await writeSplitModel(join(home.models, 'split'), 'split', 'I came in two parts.');
    await ok(home, 'stack', 'start', 'llama-server');
    await ok(home, 'models', 'activate', 'split');
    expect(await servedModel(home)).toBe('split');
    expect(await answerOf(home)).toBe('I came in two parts.');
  });

  engineTest('of a name that does not exist is exit 4 and changes nothing', async () => {
    await using home = await homeWithModels();
    await ok(home, 'stack', 'start', 'llama-server');
    expect((await aixcl(['models', 'activate', 'nope.gguf'], { home })).code).toBe(4);
    expect((await aixcl(['models', 'activate', '../a.gguf'], { home })).code).not.toBe(0);
    await untilServed(home, 'a.gguf');
  });

  engineTest('of changed arguments that llama-server refuses goes back to those before', async () => {
    await using home = await homeWithModels();
    await ok(home, 'stack', 'start', 'llama-server');
    await ok(home, 'models', 'set', 'a.gguf', '--ctx-size', '256');
    expect(await contextSize(home.ports.llamaServer)).toBe(256);
    const outcome = await aixcl(['models', 'set', 'a.gguf', '--', '--no-such-flag'], { home });
    expect(outcome.code).toBe(6);
    await untilServed(home, 'a.gguf');
    expect(await contextSize(home.ports.llamaServer)).toBe(256);
  });
});

describeEngine('a stack without models', () => {
  engineTest('starts with exit 0, and its status says that llama-server waits for a model', async () => {
    await resetEngine();
    await using home = await makeHome();
    await mkdir(home.models);
    await ok(home, 'stack', 'start', 'llama-server');
    const status = await ok(home, 'stack', 'status', 'llama-server');
    expect(status.stdout).toContain('llama-server waits for a model');
    expect(status.stdout.trim().split('\n').at(-1)).toBe('Services: 1/1 healthy');
  });
});

async function contextSize(port: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/props`);
  const body = (await response.json()) as { default_generation_settings: { n_ctx: number } };
  return body.default_generation_settings.n_ctx;
}
