import { expect, test } from 'vitest';
import { findModelOf } from './find-model.ts';
import type { Keeper, KeptModel } from './keeper.ts';

function keeper(runtime: Keeper['runtime'], ...names: string[]): Keeper {
  const models = names.map((name) => ({ subject: { runtime, name } }) as KeptModel);
  return {
    runtime,
    list: async () => models,
    find: async (text: string) => models.find(({ subject }) => subject.name === text),
  } as unknown as Keeper;
}

const keepers = [keeper('ollama', 'a:latest', 'both'), keeper('llama-server', 'b.gguf', 'both')];

test('a model is found in whichever runtime has it', async () => {
  expect(await findModelOf('a:latest', keepers)).toMatchObject({ keeper: keepers[0] });
  expect(await findModelOf('b.gguf', keepers)).toMatchObject({ keeper: keepers[1] });
});

test('where both have one, the runtime has to be said, and then decides', async () => {
  await expect(findModelOf('both', keepers)).rejects.toMatchObject({ code: 'usage' });
  expect(await findModelOf('both', keepers, 'llama-server')).toMatchObject({ keeper: keepers[1] });
  await expect(findModelOf('a:latest', keepers, 'llama-server')).rejects.toMatchObject({ code: 'notFound' });
});

test('a place that can not be looked into keeps nothing else from being found', async () => {
  const broken = {
    ...keepers[0]!,
    find: async () => {
      throw new Error('no engine');
    },
  };
  expect(await findModelOf('b.gguf', [broken, keepers[1]!])).toMatchObject({ keeper: keepers[1] });
  await expect(findModelOf('c.gguf', [broken, keepers[1]!])).rejects.toThrow('no engine');
});

test('for what is not there, the nearest that is', async () => {
  await expect(findModelOf('b', keepers)).rejects.toMatchObject({ hint: 'Did you mean b.gguf?' });
  await expect(findModelOf('a:1b', keepers)).rejects.toMatchObject({ hint: 'Did you mean a:latest?' });
  await expect(findModelOf('zzz', keepers)).rejects.toMatchObject({ hint: 'aixcl models list' });
});
