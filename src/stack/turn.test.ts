import { expect, test } from 'vitest';
import { Turn } from './turn.ts';

function counted() {
  const log: string[] = [];
  const turn = new Turn(async (again) => {
    log.push(again ? 'take again' : 'take');
    return {
      async [Symbol.asyncDispose]() {
        log.push('let go');
      },
    };
  });
  return { log, turn };
}

test('it is taken once for several holders, and let go with the last', async () => {
  const { log, turn } = counted();
  await Promise.all([turn.enter(), turn.enter()]);
  turn.leave();
  expect(log).toEqual(['take']);
  turn.leave();
  await turn.hold(async () => log.push('work'));
  expect(log.slice(0, 4)).toEqual(['take', 'let go', 'take again', 'work']);
});

test('it is free while a pause lasts, and had again after it', async () => {
  const { log, turn } = counted();
  await turn.enter();
  await turn.pause(async () => {
    await new Promise((resolve) => setTimeout(resolve));
    log.push('waiting');
  });
  expect(log).toEqual(['take', 'let go', 'waiting', 'take again']);
});

test('a refusal reaches whoever entered, and the next may try again', async () => {
  let free = false;
  const turn = new Turn(async () => {
    if (!free) throw new Error('busy');
    return { async [Symbol.asyncDispose]() {} };
  });
  await expect(turn.enter()).rejects.toThrow('busy');
  free = true;
  await turn.enter();
});
