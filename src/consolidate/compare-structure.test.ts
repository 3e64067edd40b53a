import { expect, test } from 'vitest';
import { type Gguf, headerFrom, llamaBase, smallLlama } from '../../test/setup/lora-model.ts';
import { compareStructure } from './compare-structure.ts';

const base = { ...smallLlama, layers: 1 } as const;

async function differences(spoil: (merged: Gguf) => Gguf): Promise<string[]> {
  return compareStructure([await headerFrom(llamaBase(base))], await headerFrom(spoil(llamaBase(base))));
}

test('a model of the same build in another type does not differ', async () => {
  expect(await differences(() => llamaBase({ ...base, type: 'BF16' }))).toEqual([]);
});

test('shards are taken together', async () => {
  const { metadata, tensors } = llamaBase(base);
  const shards = [
    await headerFrom({ metadata, tensors: tensors.slice(0, 3) }),
    await headerFrom({ metadata: new Map(), tensors: tensors.slice(3) }),
  ];
  expect(compareStructure(shards, await headerFrom(llamaBase(base)))).toEqual([]);
});

test('a tensor that is missing, added or of another shape is named', async () => {
  const lacks = ({ metadata, tensors }: Gguf) => ({ metadata, tensors: tensors.slice(1) });
  expect(await differences(lacks)).toEqual([
    'it has 11 tensors, and the base 12',
    'it lacks the tensor token_embd.weight',
  ]);
  const more = ({ metadata, tensors }: Gguf) => ({
    metadata,
    tensors: [...tensors, { ...tensors[0]!, name: 'blk.1.attn_q.weight' }],
  });
  expect(await differences(more)).toEqual([
    'it has 13 tensors, and the base 12',
    'it has the tensor blk.1.attn_q.weight, which the base does not have',
  ]);
  const other = ({ metadata, tensors }: Gguf) => ({
    metadata,
    tensors: tensors.map((each) => (each.name === 'output.weight' ? { ...each, shape: [128, 999] } : each)),
  });
  expect(await differences(other)).toEqual([
    expect.stringMatching(/^its tensor output\.weight is 128 x 999, and the base's 128 x \d+$/),
  ]);
});

test('another architecture and another vocabulary are told', async () => {
  const other = ({ metadata, tensors }: Gguf) => ({
    metadata: new Map(metadata)
      .set('general.architecture', { type: 'string', value: 'qwen2' })
      .set('tokenizer.ggml.tokens', { type: 'array', of: 'string', value: ['a', 'b'] }),
    tensors,
  });
  expect(await differences(other)).toEqual([
    'the architecture is qwen2, and of the base llama',
    expect.stringMatching(/^the vocabulary is of 2 tokens, and of the base of \d+ tokens$/),
  ]);
});
