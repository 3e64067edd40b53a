import { expect, test } from 'vitest';
import { inspectAdapter, inspectGgufAdapter } from './adapter.ts';
import type { GgufValue } from './gguf/format.ts';
import { encodeHeader } from './gguf/write.ts';
import { directoryOf, peftFiles, safetensors } from './test-adapters.ts';

const whole = peftFiles();

test('a PEFT adapter is told by its config and its weights', async () => {
  const files = { ...peftFiles({ use_rslora: true }), 'README.md': Buffer.from('x') };
  expect(await inspectAdapter(directoryOf(files))).toEqual({
    format: 'peft',
    method: 'LORA',
    rank: 2,
    alpha: 4,
    rankStabilized: true,
    base: 'someone/tea-1b',
    weights: ['adapter_model.safetensors'],
    tensors: 2,
  });
});

test.each([
  ['adapter_model.safetensors', 'adapter_model.safetensors is missing'],
  ['adapter_config.json', 'adapter_config.json is missing'],
])('a directory that lacks %s is no adapter', async (name, why) => {
  const { [name]: _gone, ...rest } = whole;
  await expect(inspectAdapter(directoryOf(rest))).rejects.toMatchObject({
    code: 'verification',
    message: expect.stringContaining(why),
  });
});

test('a directory without any of it is none, and both are named', async () => {
  await expect(inspectAdapter(directoryOf({ 'notes.txt': Buffer.from('x') }))).rejects.toThrow(
    'adapter_config.json and adapter_model.safetensors are missing',
  );
});

test('weights in a pickle count for nothing, and why is said', async () => {
  const { 'adapter_config.json': config } = whole;
  const files = { 'adapter_config.json': config!, 'adapter_model.bin': Buffer.from('x') };
  await expect(inspectAdapter(directoryOf(files))).rejects.toThrow(
    'adapter_model.safetensors is missing; adapter_model.bin is a pickle, which runs code',
  );
});

test('weights that are cut off, empty or no safetensors make no version', async () => {
  const weights = whole['adapter_model.safetensors']!;
  const empty = safetensors({});
  for (const bad of [weights.subarray(0, weights.length - 1), Buffer.alloc(0), empty]) {
    await expect(
      inspectAdapter(directoryOf({ ...whole, 'adapter_model.safetensors': bad })),
    ).rejects.toMatchObject({ code: 'verification', message: expect.stringContaining('is damaged') });
  }
});

test('a config that is no JSON object makes none either', async () => {
  for (const text of ['', '{"r": 16', '[1]', 'null']) {
    await expect(
      inspectAdapter(directoryOf({ ...whole, 'adapter_config.json': Buffer.from(text) })),
    ).rejects.toMatchObject({ code: 'verification' });
  }
});

const shard = (name: string) => safetensors({ [name]: { dtype: 'F16', shape: [4] } });
const shards = {
  'adapter_config.json': whole['adapter_config.json']!,
  'adapter_model-00001-of-00002.safetensors': shard('a'),
  'adapter_model-00002-of-00002.safetensors': shard('b'),
  'adapter_model.safetensors.index.json': Buffer.from(
    JSON.stringify({
      weight_map: {
        a: 'adapter_model-00001-of-00002.safetensors',
        b: 'adapter_model-00002-of-00002.safetensors',
      },
    }),
  ),
};

test('weights may be cut into shards, all of which have to be there and to hold what their index says', async () => {
  expect(await inspectAdapter(directoryOf(shards))).toMatchObject({ tensors: 2, weights: { length: 2 } });
  const { 'adapter_model-00002-of-00002.safetensors': _second, ...one } = shards;
  await expect(inspectAdapter(directoryOf(one))).rejects.toThrow('the shards that');
  const other = { ...shards, 'adapter_model-00002-of-00002.safetensors': shard('c') };
  await expect(inspectAdapter(directoryOf(other))).rejects.toThrow('it lacks the tensor b');
});

function gguf(type: string | undefined): Uint8Array {
  const text = (value: string): GgufValue => ({ type: 'string', value });
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', text('llama')],
    ...(type ? [['general.type', text(type)] as const] : []),
    ['adapter.type', text('lora')],
    ['adapter.lora.alpha', { type: 'float32', value: 32 }],
    ['general.base_model.0.name', text('Tea 1B')],
  ]);
  const tensor = (name: string, shape: number[]) => ({ name, shape, type: 'F32', data: () => [] });
  const header = encodeHeader(metadata, [
    tensor('blk.0.attn_q.weight.lora_a', [64, 16]),
    tensor('blk.0.attn_q.weight.lora_b', [16, 64]),
  ]);
  return Buffer.concat([header, Buffer.alloc(2 * 64 * 16 * 4)]);
}

test('a GGUF adapter is one, alone and in a directory, also beside what it was made from', async () => {
  const adapter = {
    format: 'gguf',
    method: 'LORA',
    rank: 16,
    alpha: 32,
    base: 'Tea 1B',
    weights: ['lora.gguf'],
    tensors: 2,
  };
  const files = { 'lora.gguf': gguf('adapter') };
  expect(await inspectAdapter(directoryOf(files))).toMatchObject(adapter);
  expect(await inspectGgufAdapter(directoryOf(files), 'lora.gguf')).toMatchObject(adapter);
  const beside = { ...files, 'adapter_config.json': Buffer.from('{}') };
  expect(await inspectAdapter(directoryOf(beside))).toMatchObject(adapter);
});

test('GGUF files of which none is an adapter are no adapter, and each has to be whole', async () => {
  const model = gguf(undefined);
  expect(await inspectAdapter(directoryOf({ 'model.gguf': model }))).toBeNull();
  await expect(
    inspectAdapter(directoryOf({ 'model.gguf': model.subarray(0, model.length - 1) })),
  ).rejects.toMatchObject({ code: 'verification', message: expect.stringContaining('truncated') });
});

test('weights that are a link are told as that, not as missing', async () => {
  const { 'adapter_config.json': config } = peftFiles();
  const links = ['adapter_model.safetensors'];
  const directory = { ...directoryOf({ 'adapter_config.json': config! }), links };
  await expect(inspectAdapter(directory)).rejects.toMatchObject({
    code: 'verification',
    message: expect.stringContaining('adapter_model.safetensors is a link'),
    hint: expect.stringContaining('cp -rL /adapters/tea COPY'),
  });
});
