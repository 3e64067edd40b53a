import { mkdtemp, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gguf } from '@huggingface/gguf';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { halfFloats } from '../../../test/setup/half-floats.ts';
import {
  encode,
  type Gguf,
  headerOf,
  type LlamaWish,
  type LoraWish,
  llamaBase,
  loraAdapter,
  type ReadTensor,
  readTensors,
  smallLlama,
  write,
} from '../../../test/setup/lora-model.ts';
import { compareStructure } from '../../consolidate/compare-structure.ts';
import { type MergeWish, planMerge } from '../../consolidate/merge-plan.ts';
import { fileSource } from '../../models/gguf/byte-source.ts';
import type { GgufValue } from '../../models/gguf/format.ts';
import { inspectGguf } from '../../models/gguf/inspect.ts';
import type { TensorToWrite } from '../../models/gguf/write.ts';
import { type MergeProgress, mergeInto } from './merge.ts';

vi.setConfig({ testTimeout: 30_000 });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aixcl-merge-'));
});
afterEach(() => rm(folder, { recursive: true }));

const signal = new AbortController().signal;
const lora: LoraWish = { type: 'F32', rank: 4, alpha: 8 };

interface Made {
  readonly base: readonly string[];
  readonly adapter: string;
  readonly output: string;
}

async function make(base: Gguf, adapter: Gguf): Promise<Made> {
  return {
    base: [await write(base, join(folder, 'base.gguf'))],
    adapter: await write(adapter, join(folder, 'adapter.gguf')),
    output: join(folder, 'merged.gguf'),
  };
}

async function merge(files: Made, wish: MergeWish = {}, more: object = {}) {
  const plan = planMerge(await Promise.all(files.base.map(headerOf)), await headerOf(files.adapter), wish);
  return { plan, report: await mergeInto(plan, { ...files, signal, ...more }) };
}

/** W + s·B·A of a tensor in double precision; of the token embeddings A and B are the other way round. */
function expected(
  name: string,
  scale: number,
  base: ReadonlyMap<string, ReadTensor>,
  factors: ReadonlyMap<string, ReadTensor>,
): Float64Array {
  const { shape, values } = base.get(name)!;
  const [a, b] = [factors.get(`${name}.lora_a`)!, factors.get(`${name}.lora_b`)!];
  const [columns = 1, rows = 1] = shape;
  const rank = b.shape[0]!;
  const flipped = name.startsWith('token_embd');
  return values.map((value, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    const expert = Math.floor(row / rows);
    let sum = 0;
    for (let k = 0; k < rank; k++) {
      sum += flipped
        ? a.values[row * rank + k]! * b.values[column * rank + k]!
        : b.values[row * rank + k]! * a.values[(expert * rank + k) * columns + column]!;
    }
    return value + scale * sum;
  });
}

/** The largest distance, in units of what one rounding of the type is at most. */
function distance(got: Float64Array, wanted: Float64Array, type: string): number {
  const relative = { F32: 2 ** -24, F16: 2 ** -11, BF16: 2 ** -8 }[type]!;
  // Sums of F32 are off by roundings of their terms' size, not of their own.
  const absolute = { F32: 2 ** -21, F16: 2 ** -20, BF16: 2 ** -20 }[type]!;
  let most = 0;
  for (const [index, value] of got.entries()) {
    const off = Math.abs(value - wanted[index]!);
    most = Math.max(most, off / (Math.abs(wanted[index]!) * relative + absolute));
  }
  return most;
}

describe.each<[LlamaWish['type'], LoraWish['type'], MergeWish['type']]>([
  ['F32', 'F32', undefined],
  ['F16', 'F16', undefined],
  ['BF16', 'F32', undefined],
  ['F16', 'BF16', 'F32'],
  ['F32', 'F16', 'BF16'],
  ['BF16', 'BF16', 'F16'],
])('base %s, adapter %s, asked for %s', (type, factors, wished) => {
  test('every number is W + s·B·A, rounded once, and all else is as it was', async () => {
    const base = { ...smallLlama, layers: 1, type };
    const files = await make(
      llamaBase(base),
      loraAdapter(base, { ...lora, type: factors, embeddings: true }),
    );
    const { plan, report } = await merge(files, { type: wished });
    expect(report).toMatchObject({ merged: 8, bytes: plan.bytes });
    const [was, is] = [await readTensors(files.base[0]!), await readTensors(files.output)];
    const factorsRead = await readTensors(files.adapter);
    expect([...is.keys()]).toEqual([...was.keys()]);
    const beyond: [string, number][] = [];
    for (const { name, work } of plan.tensors) {
      const to = is.get(name)!;
      expect(to.type).toBe(name.endsWith('_norm.weight') ? 'F32' : (wished ?? type));
      const wanted = work.kind === 'merge' ? expected(name, 2, was, factorsRead) : was.get(name)!.values;
      const most = distance(to.values, wanted, to.type);
      if (!(most <= 1)) beyond.push([name, most]);
    }
    expect(beyond).toEqual([]);
  });
});

describe('whatever the shapes are', () => {
  test('experts, rows that no four fit into, and long rows come out right', async () => {
    const weights: [string, number[]][] = [
      ['blk.0.ffn_up_exps.weight', [40, 6, 3]],
      ['blk.0.odd.weight', [7, 5]],
      ['blk.0.one.weight', [1, 9]],
      ['blk.0.long.weight', [262_149, 2]],
      ['blk.0.tall.weight', [4, 66_003]],
    ];
    const base = bare(weights.map(([name, shape]) => random(name, shape)));
    const adapter: Gguf = {
      metadata: loraAdapter(smallLlama, lora).metadata,
      tensors: weights.flatMap(([name, [columns, rows, ...experts]]) => [
        random(`${name}.lora_a`, [columns!, 3, ...experts]),
        random(`${name}.lora_b`, [3, rows!, ...experts]),
      ]),
    };
    const files = await make(base, adapter);
    await merge(files);
    const [was, is] = [await readTensors(files.base[0]!), await readTensors(files.output)];
    const factors = await readTensors(files.adapter);
    for (const [name] of weights) {
      const wanted = expected(name, 8 / 3, was, factors);
      expect(distance(is.get(name)!.values, wanted, 'F32')).toBeLessThan(2);
    }
  });

  test('factors in Q8_0 are read', async () => {
    const blocks = (count: number) => {
      const bytes = Buffer.alloc(34 * count);
      for (let block = 0; block < count; block++) {
        bytes.writeUInt16LE(0x2c00 + block, 34 * block);
        for (let each = 0; each < 32; each++)
          bytes.writeInt8(((each * 37 + block * 11) % 255) - 127, 34 * block + 2 + each);
      }
      return bytes;
    };
    const { metadata } = loraAdapter(smallLlama, lora);
    const quantized = (name: string, shape: number[], count: number) => ({
      name,
      shape,
      type: 'Q8_0',
      data: () => [blocks(count)],
    });
    const files = await make(bare([random('w.weight', [64, 8])]), {
      metadata,
      tensors: [quantized('w.weight.lora_a', [64, 32], 64), quantized('w.weight.lora_b', [32, 8], 8)],
    });
    await merge(files);
    const value = (index: number) =>
      halfFloats.F16.value(0x2c00 + Math.floor(index / 32)) *
      ((((index % 32) * 37 + Math.floor(index / 32) * 11) % 255) - 127);
    const was = (await readTensors(files.base[0]!)).get('w.weight')!.values;
    const is = (await readTensors(files.output)).get('w.weight')!.values;
    for (const [index, got] of is.entries()) {
      const [row, column] = [Math.floor(index / 64), index % 64];
      let sum = 0;
      for (let k = 0; k < 32; k++) sum += value(row * 32 + k) * value(k * 64 + column);
      expect(got / (was[index]! + 0.25 * sum)).toBeCloseTo(1, 4);
    }
  });

  test('shards become one file with the same bytes as from the whole model', async () => {
    const { metadata, tensors } = llamaBase(smallLlama);
    const files = await make({ metadata, tensors }, loraAdapter(smallLlama, lora));
    await merge(files);
    const shard = (number: number): Gguf => {
      const keys = new Map<string, GgufValue>(number === 0 ? metadata : []);
      keys.set('split.no', { type: 'uint16', value: number });
      keys.set('split.count', { type: 'uint16', value: 3 });
      keys.set('split.tensors.count', { type: 'int32', value: tensors.length });
      return {
        metadata: keys,
        tensors: tensors.slice(10 * number, number === 2 ? undefined : 10 * number + 10),
      };
    };
    const base = await Promise.all(
      [0, 1, 2].map((number) => write(shard(number), join(folder, `part-${number}.gguf`))),
    );
    const output = join(folder, 'from-parts.gguf');
    await merge({ ...files, base, output });
    expect((await readFile(output)).equals(await readFile(files.output))).toBe(true);
  });
});

test('the merged file is built as the base: its keys byte for byte, its alignment, tensors and shapes', async () => {
  const base = llamaBase({ ...smallLlama, type: 'F16' });
  base.metadata.set('general.alignment', { type: 'uint32', value: 128 });
  base.metadata.set('tokenizer.ggml.merges', {
    type: 'array',
    of: 'string',
    value: ['a b', '\ud83d\ude42 é'],
  });
  const files = await make(base, loraAdapter(smallLlama, lora));
  await merge(files);
  const [was, is] = [await headerOf(files.base[0]!), await headerOf(files.output)];
  const bytes = { was: await readFile(files.base[0]!), is: await readFile(files.output) };
  expect([...is.extents.keys()]).toEqual([...was.extents.keys()]);
  for (const [key, { from, to }] of was.extents) {
    const its = is.extents.get(key)!;
    expect(bytes.is.subarray(its.from, its.to).equals(bytes.was.subarray(from, to))).toBe(true);
  }
  expect(is.tensors).toEqual(was.tensors);
  expect(compareStructure([was], is)).toEqual([]);
  await using file = await open(files.output);
  await inspectGguf(await fileSource(file), { thorough: true });
  const { metadata } = await gguf(files.output, { allowLocalFile: true });
  expect(metadata).toMatchObject({ 'general.alignment': 128, 'general.file_type': 1 });
});

test.each(['F32', 'F16', 'BF16'] as const)(
  'asked for %s, the file says so, also where the base said nothing',
  async (type) => {
    const base = llamaBase({ ...smallLlama, type: 'BF16' });
    base.metadata.delete('general.file_type');
    const files = await make(base, loraAdapter(smallLlama, lora));
    await merge(files, { type });
    const { metadata } = await headerOf(files.output);
    expect(metadata.get('general.file_type')).toBe({ F32: 0, F16: 1, BF16: 32 }[type]);
    await using file = await open(files.output);
    await inspectGguf(await fileSource(file), { thorough: true });
  },
);

test('the same bytes come out on one thread and on three', async () => {
  const files = await make(llamaBase(smallLlama), loraAdapter(smallLlama, lora));
  await merge(files, {}, { threads: 1 });
  const output = join(folder, 'again.gguf');
  expect((await merge({ ...files, output }, {}, { threads: 3 })).report.threads).toBe(3);
  expect((await readFile(output)).equals(await readFile(files.output))).toBe(true);
});

test('progress ends with all tensors and all bytes', async () => {
  const files = await make(llamaBase(smallLlama), loraAdapter(smallLlama, lora));
  const seen: MergeProgress[] = [];
  await merge(files, {}, { onProgress: (progress: MergeProgress) => seen.push(progress) });
  const last = seen.at(-1)!;
  expect(last).toMatchObject({ tensors: 30, ofTensors: 30, bytes: last.ofBytes });
  expect(seen.every(({ bytes }, index) => index === 0 || bytes > seen[index - 1]!.bytes)).toBe(true);
});

describe('what fails leaves nothing under the name that was to be written', () => {
  async function failure(files: Made, wish: MergeWish = {}, more: object = {}): Promise<Error> {
    const error = await merge(files, wish, more).then(
      () => undefined,
      (reason) => reason as Error,
    );
    expect(await readdir(folder)).toEqual(['adapter.gguf', 'base.gguf']);
    return error!;
  }

  test('an adapter that spoils the weights: the tensor is named', async () => {
    const adapter = loraAdapter(smallLlama, lora);
    const spoilt = adapter.tensors.map((tensor) =>
      tensor.name === 'blk.1.ffn_up.weight.lora_b'
        ? {
            ...tensor,
            data: () => [
              encode(
                'F32',
                Array.from({ length: 192 * 4 }, () => Number.NaN),
              ),
            ],
          }
        : tensor,
    );
    const files = await make(llamaBase(smallLlama), { ...adapter, tensors: spoilt });
    const error = await failure(files);
    expect(error).toMatchObject({
      code: 'verification',
      message: expect.stringContaining('blk.1.ffn_up.weight'),
    });
  });

  test('weights that the wished type can not hold: the tensor is named', async () => {
    const base = bare([
      { ...random('w.weight', [8, 4]), data: () => [encode('F32', new Array(32).fill(1e6))] },
    ]);
    const { metadata } = loraAdapter(smallLlama, lora);
    const adapter = {
      metadata,
      tensors: [random('w.weight.lora_a', [8, 1]), random('w.weight.lora_b', [1, 4])],
    };
    const files = await make(base, adapter);
    expect(await failure(files, { type: 'F16' })).toMatchObject({
      message: expect.stringMatching(/w\.weight would hold 32 numbers/),
      hint: expect.stringContaining('F32 or BF16'),
    });
  });

  test('a base that became shorter since it was looked at', async () => {
    const files = await make(llamaBase(smallLlama), loraAdapter(smallLlama, lora));
    const plan = planMerge([await headerOf(files.base[0]!)], await headerOf(files.adapter), {});
    await truncate(files.base[0]!, plan.bytes - 5000);
    await expect(mergeInto(plan, { ...files, signal })).rejects.toMatchObject({
      code: 'verification',
      message: expect.stringContaining(`${files.base[0]} ends early`),
    });
    expect(await readdir(folder)).toEqual(['adapter.gguf', 'base.gguf']);
  });

  test('an interruption', async () => {
    const files = await make(llamaBase(smallLlama), loraAdapter(smallLlama, lora));
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error('interrupted'));
    const error = await failure(files, {}, { signal: controller.signal, onProgress });
    expect(error.message).toBe('interrupted');
  });
});

test('infinite weights that the base has already are no failure', async () => {
  const values = Array.from({ length: 32 }, (_, index) => (index === 5 ? Number.NEGATIVE_INFINITY : 1));
  const base = bare([{ ...random('w.weight', [8, 4]), data: () => [encode('F32', values)] }]);
  const { metadata } = loraAdapter(smallLlama, lora);
  const adapter = {
    metadata,
    tensors: [random('w.weight.lora_a', [8, 1]), random('w.weight.lora_b', [1, 4])],
  };
  const files = await make(base, adapter);
  await merge(files);
  expect((await readTensors(files.output)).get('w.weight')!.values[5]).toBe(Number.NEGATIVE_INFINITY);
});

test('a name that is taken is not written over', async () => {
  const files = await make(llamaBase(smallLlama), loraAdapter(smallLlama, lora));
  await writeFile(files.output, 'mine');
  await expect(merge(files)).rejects.toMatchObject({ code: 'EEXIST' });
  expect(await readFile(files.output, 'utf8')).toBe('mine');
});

function bare(tensors: TensorToWrite[]): Gguf {
  return { metadata: new Map([['general.architecture', { type: 'string', value: 'llama' }]]), tensors };
}

/** F32 numbers between -1 and 1. */
function random(name: string, shape: number[]): TensorToWrite {
  const count = shape.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length: count }, (_, index) => Math.sin((index + name.length) * 78.233));
  return { name, shape, type: 'F32', data: () => [new Uint8Array(values.buffer)] };
}
