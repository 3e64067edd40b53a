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
    const expected = bytesOfTensor(tensor);
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
  const keys = [...metadata].map(([key, value]) => encodeKey(key, value));
  const header = Buffer.concat([
    encodeCounts(3, tensors.length, metadata.size),
    ...keys,
    encodeTensorInfos(tensors, alignment),
  ]);
  return Buffer.concat([header, Buffer.alloc(pad(header.length, alignment) - header.length)]);
}

/** What a GGUF file begins with. */
export function encodeCounts(version: number, tensors: number, keys: number): Uint8Array {
  return Buffer.concat([
    Buffer.from(ggufMagic),
    scalar('uint32', version),
    scalar('uint64', BigInt(tensors)),
    scalar('uint64', BigInt(keys)),
  ]);
}

/** A key with its value, as they lie in the metadata. */
export function encodeKey(key: string, value: GgufValue): Uint8Array {
  const parts = [scalar('string', key), scalar('uint32', valueTypes[value.type])];
  if (value.type === 'array') {
    parts.push(scalar('uint32', valueTypes[value.of]), scalar('uint64', BigInt(value.value.length)));
    for (const item of value.value) parts.push(scalar(value.of, item));
  } else {
    parts.push(scalar(value.type, value.value));
  }
  return Buffer.concat(parts);
}

export type TensorShape = Pick<TensorToWrite, 'name' | 'shape' | 'type'>;

/** The descriptions of tensors whose data lies in this order, one right after the other but for the alignment. */
export function encodeTensorInfos(tensors: readonly TensorShape[], alignment: number): Uint8Array {
  const parts: Buffer[] = [];
  let offset = 0;
  for (const tensor of tensors) {
    parts.push(scalar('string', tensor.name), scalar('uint32', tensor.shape.length));
    for (const size of tensor.shape) parts.push(scalar('uint64', BigInt(size)));
    parts.push(scalar('uint32', tensorTypeNumber(tensor.type)), scalar('uint64', BigInt(offset)));
    offset += pad(bytesOfTensor(tensor), alignment);
  }
  return Buffer.concat(parts);
}

/** Bytes of the data of a tensor, without what pads it. */
export function bytesOfTensor(tensor: TensorShape): number {
  const type = tensorTypes.get(tensorTypeNumber(tensor.type))!;
  const elements = tensor.shape.reduce((product, size) => product * size, 1);
  return (elements / type.block) * type.bytes;
}

/** `size` and what pads it to the next multiple of `alignment`. */
export function pad(size: number, alignment: number): number {
  return Math.ceil(size / alignment) * alignment;
}

function alignmentOf(metadata: ReadonlyMap<string, GgufValue>): number {
  const value = metadata.get('general.alignment');
  return value?.type === 'uint32' ? value.value : ggufDefaultAlignment;
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
