import { expect, test } from 'vitest';
import { AixclError } from '../../errors.ts';
import type { Engine } from '../../stack/engine.ts';
import { absentOllama } from './absent.ts';
import { containedOllama } from './contained.ts';

const gone: Engine['inspectContainer'] = async () => {
  throw new AixclError('engineUnreachable', 'the engine is gone');
};
const there: Engine['inspectContainer'] = async () => undefined;

async function failures(code: 'notRunning' | 'unexpected' | 'notFound', inspectContainer: typeof gone) {
  const ollama = containedOllama(
    absentOllama(new AixclError(code, 'Ollama failed')),
    { inspectContainer },
    'id',
  );
  const pulled = async () => {
    for await (const _ of ollama.pull('x', { insecure: false, signal: new AbortController().signal }));
  };
  const all = await Promise.allSettled([ollama.delete('x'), ollama.names(), pulled()]);
  return all.map((one) => (one.status === 'rejected' ? one.reason.message : 'done'));
}

test.each(['notRunning', 'unexpected'] as const)(
  'an Ollama whose engine is gone fails for that: %s',
  async (code) => {
    expect(await failures(code, gone)).toEqual(Array(3).fill('the engine is gone'));
  },
);

test('one that fails while its engine works, or says why, fails for its own reason', async () => {
  expect(await failures('notRunning', there)).toEqual(Array(3).fill('Ollama failed'));
  expect(await failures('notFound', gone)).toEqual(Array(3).fill('Ollama failed'));
});
