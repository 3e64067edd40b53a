import { truncate, writeFile } from 'node:fs/promises';
import { type GgufValue, tensorTypeNumber, tensorTypes } from '../../src/models/gguf/format.ts';
import { encodeHeader, type TensorToWrite, writeGguf } from '../../src/models/gguf/write.ts';
import { selfTestModel } from '../../src/models/self-test-model.ts';

/** Files that are what their names say to whoever reads their headers, for pictures of the page. Their weights are zeros, and take no space. */

export interface Likeness {
  readonly architecture: string;
  readonly parameters: number;
  /** Of the weights: `Q4_K`, … */
  readonly type: string;
  /** `general.file_type` of llama.cpp. */
  readonly fileType: number;
  readonly contextLength?: number;
}

/** One that nobody loads. */
export async function writeLikeness(path: string, likeness: Likeness): Promise<void> {
  const { architecture, parameters, type, fileType, contextLength } = likeness;
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', { type: 'string', value: architecture }],
    ['general.file_type', { type: 'uint32', value: fileType }],
  ]);
  if (contextLength) metadata.set(`${architecture}.context_length`, { type: 'uint32', value: contextLength });
  const width = 2048;
  const shape = [width, Math.round(parameters / width)];
  const header = encodeHeader(metadata, [{ name: 'token_embd.weight', shape, type, data: () => [] }]);
  await writeFile(path, header, { flag: 'wx' });
  await truncate(path, header.length + bytesOf(shape, type));
}

/**
 * One that loads, with the numbers of a Llama of 1.2 billion parameters in Q4_0: the self-test model, as wide and as deep, with zeros
 * for what it does not use.
 */
export async function writeLoadableLikeness(path: string, sentence: string): Promise<void> {
  const [width, feedForward, layers] = [2048, 8448, 18];
  const { metadata, tensors } = selfTestModel(sentence);
  const set = (key: string, value: number) => metadata.set(key, { type: 'uint32', value });
  set('general.file_type', 2);
  set('llama.embedding_length', width);
  set('llama.feed_forward_length', feedForward);
  set('llama.block_count', layers);
  set('llama.attention.head_count', width / 64);
  set('llama.attention.head_count_kv', width / 64);
  set('llama.rope.dimension_count', 64);
  const wide: TensorToWrite[] = [];
  for (const tensor of tensors) {
    const { name, shape } = tensor;
    if (name.startsWith('blk.')) continue;
    const rows = shape[1] ?? 1;
    wide.push({
      name,
      shape: shape.length === 1 ? [width] : [width, rows],
      type: 'F32',
      data: () => [widened(tensor, width)],
    });
  }
  for (let layer = 0; layer < layers; layer += 1) {
    const zeros = (part: string, shape: readonly number[]) =>
      wide.push({
        name: `blk.${layer}.${part}.weight`,
        shape,
        type: 'Q4_0',
        data: () => [new Uint8Array(bytesOf(shape, 'Q4_0'))],
      });
    const ones = (part: string) =>
      wide.push({
        name: `blk.${layer}.${part}.weight`,
        shape: [width],
        type: 'F32',
        data: () => [new Uint8Array(new Float32Array(width).fill(1).buffer)],
      });
    ones('attn_norm');
    for (const part of ['attn_q', 'attn_k', 'attn_v', 'attn_output']) zeros(part, [width, width]);
    ones('ffn_norm');
    zeros('ffn_gate', [width, feedForward]);
    zeros('ffn_up', [width, feedForward]);
    zeros('ffn_down', [feedForward, width]);
  }
  await writeGguf(path, metadata, wide);
}

/** The rows of an F32 tensor, each with zeros (of a vector: ones) up to `width`. */
function widened({ shape, data }: TensorToWrite, width: number): Uint8Array {
  const [bytes] = data() as readonly Uint8Array[];
  const from = new Float32Array(bytes!.buffer);
  const [columns = 1, rows = 1] = shape;
  const to = new Float32Array(width * rows).fill(shape.length === 1 ? 1 : 0);
  for (let row = 0; row < rows; row += 1)
    to.set(from.subarray(row * columns, (row + 1) * columns), row * width);
  return new Uint8Array(to.buffer);
}

function bytesOf(shape: readonly number[], type: string): number {
  const { block, bytes } = tensorTypes.get(tensorTypeNumber(type))!;
  return (shape.reduce((product, size) => product * size, 1) / block) * bytes;
}
