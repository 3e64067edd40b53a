import { expect, test } from 'vitest';
import { testHome } from '../cli/commands/vault/test-home.ts';
import type { Engine } from '../stack/engine.ts';
import { ollamaOf } from './ollama.ts';
import type { Surroundings } from './surroundings.ts';

async function asked(change: Partial<Surroundings>): Promise<unknown> {
  await using home = await testHome();
  const { runtime } = await ollamaOf({ ...home.context, ...change });
  return runtime.version().catch((error: unknown) => error);
}

test('without an engine nobody says that Ollama does not run', async () => {
  expect(await asked({})).toMatchObject({ code: 'engineUnreachable', message: 'there is no engine here' });
});

test('with an engine that has no Ollama, it does not run', async () => {
  const engine = { listContainers: async () => [] } as unknown as Engine;
  expect(await asked({ engine: async () => engine })).toMatchObject({ code: 'notRunning' });
});

test('an Ollama that OLLAMA_HOST names needs no engine', async () => {
  const env = { OLLAMA_HOST: '127.0.0.1:1025' };
  expect(await asked({ env })).toMatchObject({
    code: 'notRunning',
    message: expect.stringContaining('127.0.0.1:1025'),
  });
});
