import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { fileSource } from '../../src/models/gguf/byte-source.ts';
import { type GgufValue, tensorTypes } from '../../src/models/gguf/format.ts';
import { type GgufHeader, type GgufTensor, readHeader } from '../../src/models/gguf/header.ts';
import { elementCount, tensorBytes } from '../../src/models/gguf/structure.ts';
import { encodeHeader, type TensorToWrite, writeGguf } from '../../src/models/gguf/write.ts';
import { selfTestModel } from '../../src/models/self-test-model.ts';
import { halfFloats } from './half-floats.ts';

type FloatType = 'F32' | 'F16' | 'BF16';

/**
 * A llama with random weights, which llama-server loads: it says nothing that makes sense, and says it with some certainty. It reads ASCII, and
 * speaks it, or what it says would not be UTF-8, of which llama-server tells no probabilities.
 */
export interface LlamaWish {
  /** Of its matrices; norms are F32. */
  readonly type: FloatType;
  readonly layers: number;
  /** A multiple of 64. */
  readonly width: number;
  readonly feedForward: number;
  readonly seed?: string;
  /** Without an output matrix of its own it uses that of the token embeddings. */
  readonly tied?: boolean;
}

export interface LoraWish {
  readonly type: FloatType;
  readonly rank: number;
  readonly alpha: number;
  readonly seed?: string;
  /** Also of the token embeddings. */
  readonly embeddings?: boolean;
}

export const smallLlama: LlamaWish = { type: 'F32', layers: 3, width: 128, feedForward: 192 };

export interface Gguf {
  readonly metadata: Map<string, GgufValue>;
  readonly tensors: TensorToWrite[];
}

export async function write({ metadata, tensors }: Gguf, path: string): Promise<string> {
  await writeGguf(path, metadata, tensors);
  return path;
}

export function llamaBase(wish: LlamaWish): Gguf {
  const { metadata } = selfTestModel();
  withoutBytesAbove(metadata, 0x7f);
  const heads = wish.width / 32;
  const set = (key: string, value: number) => metadata.set(`llama.${key}`, { type: 'uint32', value });
  metadata.set('general.name', { type: 'string', value: 'a base' });
  metadata.set('general.file_type', { type: 'uint32', value: { F32: 0, F16: 1, BF16: 32 }[wish.type] });
  set('embedding_length', wish.width);
  set('block_count', wish.layers);
  set('feed_forward_length', wish.feedForward);
  set('attention.head_count', heads);
  set('attention.head_count_kv', heads / 2);
  const random = pool(wish.seed ?? 'base');
  const vocabulary = vocabularyOf(metadata);
  const matrix = (name: string, [columns, rows]: readonly [number, number], gain = 1): TensorToWrite => ({
    name,
    shape: [columns, rows],
    type: wish.type,
    data: () => random(name, wish.type, gain / Math.sqrt(columns), columns * rows),
  });
  const norm = (name: string): TensorToWrite => ({
    name,
    shape: [wish.width],
    type: 'F32',
    data: () => [new Uint8Array(new Float32Array(wish.width).fill(1).buffer)],
  });
  const layers = Array.from({ length: wish.layers }, (_, layer) => [
    norm(`blk.${layer}.attn_norm.weight`),
    ...weightsOf(wish, layer).map(({ name, shape }) => matrix(name, shape)),
    norm(`blk.${layer}.ffn_norm.weight`),
  ]);
  const tensors = [
    matrix('token_embd.weight', [wish.width, vocabulary], Math.sqrt(wish.width)),
    ...layers.flat(),
    norm('output_norm.weight'),
    ...(wish.tied ? [] : [matrix('output.weight', [wish.width, vocabulary])]),
  ];
  return { metadata, tensors };
}

/** A LoRA adapter of every matrix of every layer of `base`, as llama.cpp's converter writes it. */
export function loraAdapter(base: LlamaWish, wish: LoraWish): Gguf {
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', { type: 'string', value: 'llama' }],
    ['general.type', { type: 'string', value: 'adapter' }],
    ['adapter.type', { type: 'string', value: 'lora' }],
    ['general.name', { type: 'string', value: 'an adapter' }],
    ['adapter.lora.alpha', { type: 'float32', value: wish.alpha }],
  ]);
  const random = pool(wish.seed ?? 'adapter');
  const half = (name: string, shape: readonly [number, number], size: number): TensorToWrite => ({
    name,
    shape,
    type: wish.type,
    data: () => random(name, wish.type, size, shape[0] * shape[1]),
  });
  const { rank } = wish;
  const tensors = Array.from({ length: base.layers }, (_, layer) => weightsOf(base, layer))
    .flat()
    .flatMap(({ name, shape: [columns, rows] }) => [
      half(`${name}.lora_a`, [columns, rank], 1 / Math.sqrt(columns)),
      half(`${name}.lora_b`, [rank, rows], 0.1),
    ]);
  if (wish.embeddings) {
    const vocabulary = vocabularyOf(selfTestModel().metadata);
    tensors.push(
      half('token_embd.weight.lora_a', [rank, vocabulary], 0.3),
      half('token_embd.weight.lora_b', [rank, base.width], 0.3),
    );
  }
  return { metadata, tensors };
}

function weightsOf(
  { width, feedForward }: LlamaWish,
  layer: number,
): { name: string; shape: readonly [number, number] }[] {
  const of = (name: string, ...shape: [number, number]) => ({ name: `blk.${layer}.${name}.weight`, shape });
  return [
    of('attn_q', width, width),
    of('attn_k', width, width / 2),
    of('attn_v', width, width / 2),
    of('attn_output', width, width),
    of('ffn_gate', width, feedForward),
    of('ffn_up', width, feedForward),
    of('ffn_down', feedForward, width),
  ];
}

/** Makes plain words of the tokens that stand for such bytes, and of the first of them the space, which is none of ASCII's to the tokenizer. */
function withoutBytesAbove(metadata: Map<string, GgufValue>, most: number): void {
  const [tokens, types] = ['tokens', 'token_type'].map((key) => arrayOf(metadata, `tokenizer.ggml.${key}`));
  const above = (token: unknown) => Number(/^<(0x..)>$/.exec(String(token))?.[1] ?? 0) > most;
  const word = (token: unknown) => (token === '<0x80>' ? '▁' : `(${String(token).slice(1, -1)})`);
  metadata.set('tokenizer.ggml.tokens', {
    ...tokens!,
    value: tokens!.value.map((token) => (above(token) ? word(token) : token)),
  });
  metadata.set('tokenizer.ggml.token_type', {
    ...types!,
    value: types!.value.map((type, index) => (above(tokens!.value[index]) ? 1 : type)),
  });
}

function arrayOf(
  metadata: ReadonlyMap<string, GgufValue>,
  key: string,
): GgufValue & { readonly type: 'array' } {
  const value = metadata.get(key);
  if (value?.type !== 'array') throw new Error(`${key} is no array`);
  return value;
}

function vocabularyOf(metadata: ReadonlyMap<string, GgufValue>): number {
  return arrayOf(metadata, 'tokenizer.ggml.tokens').value.length;
}

type Random = (name: string, type: FloatType, size: number, count: number) => Generator<Uint8Array>;

/** Some 16,000 numbers, normally distributed, of which each tensor has its own stretch, repeated: gigabytes take no arithmetic. */
function pool(seed: string): Random {
  const length = 16381;
  let values: Float64Array | undefined;
  const encoded = new Map<string, Uint8Array>();
  const bytesFor = (type: FloatType, size: number) => {
    const key = `${type} ${size}`;
    values ??= normal(seed, length);
    const bytes =
      encoded.get(key) ??
      encode(
        type,
        values.map((value) => value * size),
      );
    encoded.set(key, bytes);
    return bytes;
  };
  return function* random(name, type, size, count) {
    const bytes = bytesFor(type, size);
    const each = bytes.length / length;
    let from = createHash('sha256').update(name).digest().readUInt32LE() % length;
    for (let done = 0; done < count; ) {
      const here = Math.min(count - done, length - from);
      yield bytes.subarray(from * each, (from + here) * each);
      done += here;
      from = 0;
    }
  };
}

function normal(seed: string, length: number): Float64Array {
  let state = createHash('sha256').update(seed).digest().readUInt32LE() | 1;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return Float64Array.from(
    { length },
    () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

export function encode(type: FloatType, values: Iterable<number>): Uint8Array {
  if (type === 'F32') return new Uint8Array(Float32Array.from(values).buffer);
  const { bits } = halfFloats[type];
  return new Uint8Array(Uint16Array.from(values, (value) => bits(Math.fround(value))).buffer);
}

export interface ReadTensor {
  readonly type: string;
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

/** The header that `gguf` would have as a file. */
export async function headerFrom({ metadata, tensors }: Gguf): Promise<GgufHeader> {
  const bytes = encodeHeader(metadata, tensors);
  return readHeader({ size: bytes.length, read: async (at, length) => bytes.subarray(at, at + length) });
}

export async function headerOf(path: string): Promise<GgufHeader> {
  await using file = await open(path);
  return readHeader(await fileSource(file));
}

/** All tensors of a file of F32, F16 and BF16, their numbers by plain arithmetic. */
export async function readTensors(path: string): Promise<Map<string, ReadTensor>> {
  await using file = await open(path);
  const header = await readHeader(await fileSource(file));
  const read = async (tensor: GgufTensor): Promise<ReadTensor> => {
    const bytes = Buffer.alloc(Number(tensorBytes(tensor)));
    await file.read(bytes, 0, bytes.length, header.dataOffset + Number(tensor.offset));
    const type = tensorTypes.get(tensor.type)!.name;
    const at = (index: number) =>
      type === 'F32'
        ? bytes.readFloatLE(4 * index)
        : halfFloats[type as 'F16' | 'BF16'].value(bytes.readUInt16LE(2 * index));
    const values = Float64Array.from({ length: Number(elementCount(tensor)) }, (_, index) => at(index));
    return { type, shape: tensor.shape.map(Number), values };
  };
  const found = new Map<string, ReadTensor>();
  for (const tensor of header.tensors) found.set(tensor.name, await read(tensor));
  return found;
}
