import { expect, test } from 'vitest';
import { type Gguf, headerFrom, llamaBase, loraAdapter, smallLlama } from '../../test/setup/lora-model.ts';
import type { GgufValue } from '../models/gguf/format.ts';
import type { TensorToWrite } from '../models/gguf/write.ts';
import { BaseIsQuantized, type MergePlan, type MergeWish, planMerge } from './merge-plan.ts';

const oneLayer = { ...smallLlama, layers: 1 } as const;
const lora = { type: 'F32', rank: 4, alpha: 8 } as const;

async function plan(base: Gguf, adapter: Gguf, wish: MergeWish = {}): Promise<MergePlan> {
  return planMerge([await headerFrom(base)], await headerFrom(adapter), wish);
}

function text({ tensors }: MergePlan): string[] {
  return tensors.map(({ name, work }) => {
    if (work.kind === 'copy') return `copy ${name}`;
    if (work.kind === 'convert') return `convert ${name} ${work.from} to ${work.to}`;
    return `merge ${name} ${work.from} to ${work.to}, rank ${work.lora.rank}, scale ${work.lora.scale}`;
  });
}

function tensor(name: string, shape: readonly number[], type = 'F32'): TensorToWrite {
  return { name, shape, type, data: () => [] };
}

function change(gguf: Gguf, name: string, changed: Partial<TensorToWrite>): Gguf {
  const tensors = gguf.tensors.map((each) => (each.name === name ? { ...each, ...changed } : each));
  return { metadata: gguf.metadata, tensors };
}

function say(gguf: Gguf, key: string, value: GgufValue | undefined): Gguf {
  const metadata = new Map(gguf.metadata);
  if (value) metadata.set(key, value);
  else metadata.delete(key);
  return { metadata, tensors: gguf.tensors };
}

test('what the adapter changes is merged, all else is copied', async () => {
  const made = await plan(llamaBase(oneLayer), loraAdapter(oneLayer, lora));
  expect(text(made)).toEqual([
    'copy token_embd.weight',
    'copy blk.0.attn_norm.weight',
    'merge blk.0.attn_q.weight F32 to F32, rank 4, scale 2',
    'merge blk.0.attn_k.weight F32 to F32, rank 4, scale 2',
    'merge blk.0.attn_v.weight F32 to F32, rank 4, scale 2',
    'merge blk.0.attn_output.weight F32 to F32, rank 4, scale 2',
    'merge blk.0.ffn_gate.weight F32 to F32, rank 4, scale 2',
    'merge blk.0.ffn_up.weight F32 to F32, rank 4, scale 2',
    'merge blk.0.ffn_down.weight F32 to F32, rank 4, scale 2',
    'copy blk.0.ffn_norm.weight',
    'copy output_norm.weight',
    'copy output.weight',
  ]);
  expect(made.macs).toBe(4 * (3 * 128 * 128 + 3 * 128 * 192));
});

test('asked for another type, matrices get it and norms stay F32', async () => {
  const made = await plan(llamaBase(oneLayer), loraAdapter(oneLayer, lora), { type: 'BF16' });
  expect(text(made).slice(0, 3)).toEqual([
    'convert token_embd.weight F32 to BF16',
    'copy blk.0.attn_norm.weight',
    'merge blk.0.attn_q.weight F32 to BF16, rank 4, scale 2',
  ]);
  const widened = await plan(llamaBase({ ...oneLayer, type: 'F16' }), loraAdapter(oneLayer, lora), {
    type: 'F32',
  });
  expect(new Set(widened.tensors.map(({ to }) => to.type))).toEqual(new Set(['F32']));
});

test('the scale is alpha / rank, alpha / sqrt(rank) for rsLoRA, and 1 for an alpha of 0 or none', async () => {
  const scaleOf = async (adapter: Gguf, wish: MergeWish = {}) => {
    const { tensors } = await plan(llamaBase(oneLayer), adapter, wish);
    const works = tensors.map(({ work }) => work);
    return works.flatMap((work) => (work.kind === 'merge' ? [work.lora.scale] : []))[0];
  };
  expect(await scaleOf(loraAdapter(oneLayer, lora))).toBe(2);
  expect(await scaleOf(loraAdapter(oneLayer, lora), { rsLora: true })).toBe(4);
  expect(await scaleOf(loraAdapter(oneLayer, { ...lora, alpha: 0 }))).toBe(1);
  expect(await scaleOf(say(loraAdapter(oneLayer, lora), 'adapter.lora.alpha', undefined))).toBe(1);
});

test('of the token embeddings A and B are the other way round, as llama.cpp has them', async () => {
  const made = await plan(llamaBase(oneLayer), loraAdapter(oneLayer, { ...lora, embeddings: true }));
  const [{ work }] = made.tensors as [MergePlan['tensors'][number]];
  expect(work).toMatchObject({ kind: 'merge', lora: { rank: 4, right: { transposed: true } } });
});

test('experts each have factors of their own', async () => {
  const base = llamaBase(oneLayer);
  base.tensors.push(tensor('blk.0.ffn_up_exps.weight', [128, 64, 8]));
  const adapter = loraAdapter(oneLayer, lora);
  adapter.tensors.push(tensor('blk.0.ffn_up_exps.weight.lora_a', [128, 2, 8]));
  adapter.tensors.push(tensor('blk.0.ffn_up_exps.weight.lora_b', [2, 64, 8]));
  expect(text(await plan(base, adapter)).at(-1)).toBe(
    'merge blk.0.ffn_up_exps.weight F32 to F32, rank 2, scale 4',
  );
  const other = change(adapter, 'blk.0.ffn_up_exps.weight.lora_a', { shape: [128, 2, 1] });
  await expect(plan(base, other)).rejects.toThrow('blk.0.ffn_up_exps.weight (A 128 x 2 x 1, B 2 x 64 x 8)');
});

test.each<[string, (adapter: Gguf) => Gguf | undefined, string]>([
  [
    'a tensor that the base lacks',
    (it) => add(it, pair('blk.7.attn_q.weight', 128, 128)),
    'blk.7.attn_q.weight',
  ],
  [
    'another width',
    (it) => change(it, 'blk.0.attn_q.weight.lora_a', { shape: [64, 4] }),
    "The adapter's blk.0.attn_q.weight (A 64 x 4, B 4 x 128) does not fit the base's, which is 128 x 128",
  ],
  [
    'another height',
    (it) => change(it, 'blk.0.attn_k.weight.lora_b', { shape: [4, 128] }),
    "The adapter's blk.0.attn_k.weight (A 128 x 4, B 4 x 128) does not fit the base's, which is 128 x 64",
  ],
  [
    'ranks that differ',
    (it) => change(it, 'blk.0.attn_q.weight.lora_b', { shape: [5, 128] }),
    'does not fit',
  ],
  ['a norm as a pair', (it) => add(it, pair('output_norm.weight', 128, 1)), 'output_norm.weight'],
  ['half a pair', (it) => without(it, 'blk.0.attn_q.weight.lora_b'), 'blk.0.attn_q.weight.lora_a and no'],
  ['the other half', (it) => without(it, 'blk.0.ffn_up.weight.lora_a'), 'blk.0.ffn_up.weight.lora_b and no'],
  ['an unknown tensor', (it) => add(it, [tensor('blk.0.attn_q.bias', [4])]), 'blk.0.attn_q.bias'],
  [
    'quantized factors',
    (it) => change(it, 'blk.0.attn_q.weight.lora_a', { type: 'Q4_0' }),
    'blk.0.attn_q.weight.lora_a is of the type Q4_0',
  ],
  ['no pairs', (it) => ({ metadata: it.metadata, tensors: [] }), 'changes no tensor'],
  ['no adapter', (it) => say(it, 'general.type', string('model')), 'is no adapter'],
  ['another kind', (it) => say(it, 'adapter.type', string('ia3')), 'of the type ia3, not lora'],
  [
    'an aLoRA',
    (it) => say(it, 'adapter.alora.invocation_tokens', { type: 'array', of: 'uint32', value: [1, 2] }),
    'is an aLoRA',
  ],
  [
    'another architecture',
    (it) => say(it, 'general.architecture', string('qwen2')),
    'The adapter is for the architecture qwen2, the base is llama',
  ],
])('an adapter with %s is refused, and what is wrong is named', async (_what, spoil, words) => {
  const adapter = spoil(loraAdapter(oneLayer, lora))!;
  await expect(plan(llamaBase(oneLayer), adapter)).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining(words),
  });
});

test('norms that the adapter carries whole are left out, as llama.cpp leaves them out, and told', async () => {
  const adapter = add(loraAdapter(oneLayer, lora), [tensor('blk.0.attn_norm.weight', [128])]);
  const made = await plan(llamaBase(oneLayer), adapter);
  expect(made.ignored).toEqual(['blk.0.attn_norm.weight']);
  expect(text(made)).toContain('copy blk.0.attn_norm.weight');
});

test('embeddings that the base uses for its output too are not merged: both would change', async () => {
  const tied = llamaBase({ ...oneLayer, tied: true });
  await expect(plan(tied, loraAdapter(oneLayer, { ...lora, embeddings: true }))).rejects.toThrow(
    'token_embd.weight, which the base uses for its output too',
  );
  expect(text(await plan(tied, loraAdapter(oneLayer, lora)))).toContain('copy token_embd.weight');
});

test('a quantized base is said to be so once all else fits', async () => {
  const base = change(llamaBase(oneLayer), 'blk.0.attn_q.weight', { type: 'Q8_0' });
  const adapter = loraAdapter(oneLayer, lora);
  await expect(plan(base, adapter)).rejects.toThrow(BaseIsQuantized);
  await expect(plan(base, add(adapter, pair('missing.weight', 128, 128)))).rejects.toThrow('missing.weight');
});

test('quantized tensors that the adapter leaves alone are carried over, unless another type is asked for', async () => {
  const base = change(llamaBase(oneLayer), 'output.weight', { type: 'Q8_0' });
  const adapter = loraAdapter(oneLayer, lora);
  expect(text(await plan(base, adapter)).at(-1)).toBe('copy output.weight');
  await expect(plan(base, adapter, { type: 'F16' })).rejects.toThrow(BaseIsQuantized);
});

test('shards make one file, and are refused when one is missing or out of order', async () => {
  const { metadata, tensors } = llamaBase(oneLayer);
  const shard = (number: number, from: number, to?: number) => {
    const keys = new Map<string, GgufValue>(number === 0 ? metadata : []);
    keys.set('split.no', { type: 'uint16', value: number });
    keys.set('split.count', { type: 'uint16', value: 2 });
    keys.set('split.tensors.count', { type: 'int32', value: tensors.length });
    return headerFrom({ metadata: keys, tensors: tensors.slice(from, to) });
  };
  const [first, second] = [await shard(0, 0, 5), await shard(1, 5)];
  const adapter = await headerFrom(loraAdapter(oneLayer, lora));
  const made = planMerge([first, second], adapter, {});
  const whole = await plan(llamaBase(oneLayer), loraAdapter(oneLayer, lora));
  expect(text(made)).toEqual(text(whole));
  expect(made.bytes).toBe(whole.bytes);
  expect(made.tensors.map(({ from }) => from.file)).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1]);
  expect(() => planMerge([first], adapter, {})).toThrow('one of 2 shards, of which 1');
  expect(() => planMerge([first, first], adapter, {})).toThrow('Shard 2 of the base says that it is shard 1');
});

test('an adapter is no base', async () => {
  const adapter = loraAdapter(oneLayer, lora);
  await expect(plan(adapter, adapter)).rejects.toThrow('The base is an adapter itself');
});

function pair(name: string, columns: number, rows: number): TensorToWrite[] {
  return [tensor(`${name}.lora_a`, [columns, 4]), tensor(`${name}.lora_b`, [4, rows])];
}

function add({ metadata, tensors }: Gguf, more: readonly TensorToWrite[]): Gguf {
  return { metadata, tensors: [...tensors, ...more] };
}

function without({ metadata, tensors }: Gguf, name: string): Gguf {
  return { metadata, tensors: tensors.filter((each) => each.name !== name) };
}

function string(value: string): GgufValue {
  return { type: 'string', value };
}
