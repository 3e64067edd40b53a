import { expect, test } from 'vitest';
import { applyAdd } from './add.ts';
import type { Collection, Intake, Order } from './intake.ts';
import type { ModelName } from './model-name.ts';

const order: Order = {
  name: 'a.gguf' as ModelName,
  folder: false,
  files: [
    {
      name: 'a.gguf',
      size: null,
      sha256: null,
      version: null,
      location: { kind: 'http', url: new URL('https://h/a.gguf') },
    },
  ],
};

/** What is told of one file of `size` bytes that is fetched and then hashed; `failing`: the hash does not fit. */
async function told(size: number, failing = false): Promise<string[]> {
  const lines: string[] = [];
  const collection = {
    async bring(_file, { onProgress, onHash }) {
      onProgress?.(size);
      onHash?.(size / 2, size);
      if (failing) throw new Error('the hash does not fit');
      onHash?.(size, size);
      return '0'.repeat(64);
    },
    check: async () => {},
    publish: async () => true,
    replace: async () => {},
    discard: async () => {},
    [Symbol.asyncDispose]: async () => {},
  } satisfies Collection;
  const intake = { collect: async () => collection } as unknown as Intake;
  const reporter = {
    begin(label: string, total: number | null) {
      lines.push(`begin ${label} ${total}`);
      return {
        update: (done: number) => void lines.push(`update ${done}`),
        end: (ok: boolean) => void lines.push(`end ${ok}`),
      };
    },
  };
  const step = { kind: 'add', because: 'asked for', order, bytes: size } as const;
  const signal = new AbortController().signal;
  await applyAdd(step, intake, { signal, reporter }).catch(() => undefined);
  return lines;
}

const large = 2 ** 30;

test('the hash over a large file that came in is a piece of work of its own', async () => {
  expect(await told(large)).toEqual([
    'begin Fetching "a.gguf" null',
    `update ${large}`,
    'end true',
    `begin Checking "a.gguf" ${large}`,
    `update ${large / 2}`,
    `update ${large}`,
    'end true',
  ]);
  expect((await told(large, true)).slice(-2)).toEqual([`update ${large / 2}`, 'end false']);
});

test('that over a small one is not worth a word', async () => {
  expect(await told(1000)).toEqual(['begin Fetching "a.gguf" null', 'update 1000', 'end true']);
  expect(await told(1000, true)).toEqual(['begin Fetching "a.gguf" null', 'update 1000', 'end false']);
});

test('a name that came free while it was asked about is given as any free one', async () => {
  let published = 0;
  const collection = {
    bring: async () => '0'.repeat(64),
    check: async () => {},
    // Taken at first; then whoever had it is gone.
    publish: async () => ++published > 1,
    replace: async () => {
      throw new Error('there is nothing to replace');
    },
    discard: async () => {},
    [Symbol.asyncDispose]: async () => {},
  } satisfies Collection;
  const intake = {
    collect: async () => collection,
    standing: async () => undefined,
  } as unknown as Intake;
  const step = { kind: 'update', because: '', order, bytes: 1, certain: true } as const;
  const signal = new AbortController().signal;
  const reporter = { begin: () => ({ update() {}, end() {} }) };
  const replace = async () => null;
  expect(await applyAdd(step, intake, { signal, reporter, replace })).toMatchObject({ outcome: 'done' });
  published = -9;
  await expect(applyAdd(step, intake, { signal, reporter, replace })).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('is no model'),
  });
});
