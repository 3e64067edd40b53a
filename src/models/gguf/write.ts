import { open } from 'node:fs/promises';
import {
  type GgufValue,
  ggufDefaultAlignment,
  ggufMagic,
  type ScalarType,
  scalarSize,
  tensorTypeNumber,
  tensorTypes,
  valueTypes,
} from './format.ts';

export interface TensorToWrite {
  readonly name: string;
  /** Elements per dimension, the contiguous one first (ggml's order: a matrix of R rows and C columns is `[C, R]`). */
  readonly shape: readonly number[];
  /** `F32`, `Q8_0`, … */
  readonly type: string;
  /** Exactly the bytes that shape and type say; called once, when its turn comes, so that one tensor at a time is in memory. */
  data(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/**
 * Writes a new GGUF file and fsyncs it; `EEXIST` when `path` is taken. `general.alignment` is 32 unless the metadata has another.
 * What is half written when this throws stays under `path`: write to a temporary name.
 */
export async function writeGguf(
  path: string,
  metadata: ReadonlyMap<string, GgufValue>,
  tensors: readonly TensorToWrite[],
): Promise<void> {
  const alignment = alignmentOf(metadata);
  const header = encodeHeader(metadata, tensors, alignment);
  await using file = await open(path, 'wx', 0o644);
  await file.writeFile(header);
  for (const tensor of tensors) {
    const expected = tensorBytes(tensor);
    let written = 0;
    for await (const chunk of tensor.data()) {
      written += chunk.byteLength;
      if (written > expected) break;
      await file.writeFile(chunk);
    }
    if (written !== expected) {
      throw new Error(`Tensor ${tensor.name} gave ${written} bytes, its shape and type say ${expected}`);
    }
    const padding = pad(expected, alignment) - expected;
    if (padding > 0) await file.writeFile(new Uint8Array(padding));
  }
  await file.sync();
}

/** Header up to the first byte of tensor data. */
export function encodeHeader(
  metadata: ReadonlyMap<string, GgufValue>,
  tensors: readonly TensorToWrite[],
  alignment = ggufDefaultAlignment,
): Uint8Array {
  const parts: Buffer[] = [Buffer.from(ggufMagic), scalar('uint32', 3)];
  parts.push(scalar('uint64', BigInt(tensors.length)), scalar('uint64', BigInt(metadata.size)));
  for (const [key, value] of metadata) {
    parts.push(scalar('string', key), scalar('uint32', valueTypes[value.type]));
    if (value.type === 'array') {
      parts.push(scalar('uint32', valueTypes[value.of]), scalar('uint64', BigInt(value.value.length)));
      for (const item of value.value) parts.push(scalar(value.of, item));
    } else {
      parts.push(scalar(value.type, value.value));
    }
  }
  let offset = 0;
  for (const tensor of tensors) {
    parts.push(scalar('string', tensor.name), scalar('uint32', tensor.shape.length));
    for (const size of tensor.shape) parts.push(scalar('uint64', BigInt(size)));
    parts.push(scalar('uint32', tensorTypeNumber(tensor.type)), scalar('uint64', BigInt(offset)));
    offset += pad(tensorBytes(tensor), alignment);
  }
  const header = Buffer.concat(parts);
  return Buffer.concat([header, Buffer.alloc(pad(header.length, alignment) - header.length)]);
}

function alignmentOf(metadata: ReadonlyMap<string, GgufValue>): number {
  const value = metadata.get('general.alignment');
  return value?.type === 'uint32' ? value.value : ggufDefaultAlignment;
}

function tensorBytes(tensor: TensorToWrite): number {
  const type = tensorTypes.get(tensorTypeNumber(tensor.type))!;
  const elements = tensor.shape.reduce((product, size) => product * size, 1);
  return (elements / type.block) * type.bytes;
}

function pad(size: number, alignment: number): number {
  return Math.ceil(size / alignment) * alignment;
}

function scalar(type: ScalarType, value: string | number | bigint | boolean): Buffer {
  if (type === 'string') {
    const text = Buffer.from(String(value));
    return Buffer.concat([scalar('uint64', BigInt(text.length)), text]);
  }
  const bytes = Buffer.alloc(scalarSize[type]);
  switch (type) {
    case 'bool':
      bytes.writeUInt8(value ? 1 : 0);
      break;
    case 'uint8':
      bytes.writeUInt8(Number(value));
      break;
    case 'int8':
      bytes.writeInt8(Number(value));
      break;
    case 'uint16':
      bytes.writeUInt16LE(Number(value));
      break;
    case 'int16':
      bytes.writeInt16LE(Number(value));
      break;
    case 'uint32':
      bytes.writeUInt32LE(Number(value));
      break;
    case 'int32':
      bytes.writeInt32LE(Number(value));
      break;
    case 'float32':
      bytes.writeFloatLE(Number(value));
      break;
    case 'float64':
      bytes.writeDoubleLE(Number(value));
      break;
    case 'uint64':
      bytes.writeBigUInt64LE(BigInt(value));
      break;
    case 'int64':
      bytes.writeBigInt64LE(BigInt(value));
      break;
  }
  return bytes;
}
