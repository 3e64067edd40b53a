import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gguf } from '@huggingface/gguf';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { selfTestModel, writeSelfTestModel } from './self-test-model.ts';
import { writeSplitModel } from './test-models.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aixcl-self-test-'));
});
afterEach(async () => rm(folder, { recursive: true }));

/** What the model says, read from its own matrices: token after token from the last of the prompt (`<s>`) to the end token. */
function answerOf(sentence?: string): string {
  const { metadata, tensors } = selfTestModel(sentence);
  const tokens = metadata.get('tokenizer.ggml.tokens')!.value as string[];
  const table = (name: string) => {
    const tensor = tensors.find((each) => each.name === name)!;
    const [bytes] = [...(tensor.data() as Iterable<Uint8Array>)];
    return { width: tensor.shape[0]!, values: new Float32Array(bytes!.slice().buffer) };
  };
  const embedding = table('token_embd.weight');
  const output = table('output.weight');
  let answer = '';
  let token = 1;
  for (let count = 0; count <= tokens.length; count++) {
    const row = embedding.values.subarray(token * embedding.width, (token + 1) * embedding.width);
    const state = row.indexOf(1);
    token = tokens.findIndex((_, each) => output.values[each * output.width + state]! > 0);
    if (token === 2) return answer.replaceAll('▁', ' ');
    answer += tokens[token];
  }
  throw new Error('It never ends');
}

test('the default sentence is what the tables say', () => {
  expect(answerOf()).toBe('aixcl works: your own machine answered this.');
});

test('any sentence is what the tables say, also with repeated, short and foreign words', () => {
  for (const sentence of [
    'a a a a',
    'x',
    'ja ja ja, das das das das ist 🙂 gut',
    'one\ntwo  three',
    `${'w '.repeat(90)}end`,
  ]) {
    expect(answerOf(sentence)).toBe(sentence);
  }
});

test('no two tokens of the vocabulary are alike, since llama.cpp looks them up by text', () => {
  const tokens = selfTestModel('ja ja ja ja ja ja').metadata.get('tokenizer.ggml.tokens')!.value as string[];
  expect(new Set(tokens).size).toBe(tokens.length);
});

test('the file is small and an independent parser reads it', async () => {
  const path = join(folder, 'self-test.gguf');
  await writeSelfTestModel(path);
  expect((await readFile(path)).length).toBeLessThan(500_000);
  const { metadata, tensorInfos } = await gguf(path, { allowLocalFile: true });
  expect(metadata).toMatchObject({ 'general.architecture': 'llama', 'llama.block_count': 1 });
  expect(tensorInfos).toHaveLength(12);
});

test('a taken name is not written over', async () => {
  const path = join(folder, 'self-test.gguf');
  await writeSelfTestModel(path, 'first');
  await expect(writeSelfTestModel(path, 'second')).rejects.toMatchObject({ code: 'EEXIST' });
});

test('the two shards of a split model hold every tensor once', async () => {
  const paths = await writeSplitModel(folder, 'two');
  const parts = await Promise.all(paths.map((path) => gguf(path, { allowLocalFile: true })));
  const names = parts.flatMap((part) => part.tensorInfos.map((tensor) => tensor.name));
  expect(names).toEqual(selfTestModel().tensors.map((tensor) => tensor.name));
  expect(parts[1]!.metadata).toMatchObject({ 'split.no': 1, 'split.count': 2 });
});
