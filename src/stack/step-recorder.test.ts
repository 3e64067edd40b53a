import { expect, test } from 'vitest';
import { TestEngine } from './test-engine.ts';
import { ourContainer, service, stack } from './test-stack.ts';
import { start } from './test-start.ts';

const networks = ['aixcl_default'];

test('each change is noted before it is made; waiting is none', async () => {
  const engine = new TestEngine({ images: ['a:1'], networks });
  const note = async (kind: string, target: string) => void engine.did.push(`note ${kind} ${target}`);
  await start(engine, stack([service('a')]), { hands: { note } });
  expect(engine.did).toEqual(['note create a', 'create a', 'note start a', 'start a']);
});

test('a start that changes nothing notes nothing', async () => {
  const a = service('a');
  const definition = stack([a]);
  const engine = new TestEngine({ containers: [ourContainer(definition, a)], images: ['a:1'], networks });
  const { steps } = await start(engine, definition, {
    hands: {
      note: async () => {
        throw new Error('there is nothing to note');
      },
    },
  });
  expect(steps.map(({ kind, outcome }) => `${kind} ${outcome}`)).toEqual(['keep kept']);
});

test('what can not be noted is not done', async () => {
  const engine = new TestEngine({ images: ['a:1'], networks });
  const note = async () => {
    throw new Error('the journal is full');
  };
  const { failures } = await start(engine, stack([service('a')]), { hands: { note } });
  expect(failures).toMatchObject([{ message: 'the journal is full' }]);
  expect(engine.did).toEqual([]);
});
