import type { ByteSource } from './byte-source.ts';
import { ggufDefaultAlignment, ggufMagic, type ScalarType, scalarSize, valueTypes } from './format.ts';

/** What a GGUF file says before its weights. Arrays (the vocabulary, mostly) are counted, not kept. */
export interface GgufHeader {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, HeaderValue>;
  /** Where each key lies with its value, in bytes from the start of the file: to carry it over as it is. */
  readonly extents: ReadonlyMap<string, Extent>;
  readonly tensors: readonly GgufTensor[];
  /** Where tensor data begins, in bytes from the start of the file. */
  readonly dataOffset: number;
  readonly alignment: number;
}

export interface Extent {
  readonly from: number;
  /** The byte after the last. */
  readonly to: number;
}

type HeaderValue = string | number | bigint | boolean | { readonly of: string; readonly length: number };

export interface GgufTensor {
  readonly name: string;
  readonly shape: readonly bigint[];
  /** Number in the file; see `tensorTypes`. */
  readonly type: number;
  /** Bytes from `dataOffset`. */
  readonly offset: bigint;
}

/** The file is not a GGUF that llama-server could load, for the reason in `message`. */
export class GgufProblem extends Error {
  constructor(message: string) {
    // Names out of a crafted file: no control characters for the terminal, no megabytes for the log.
    super(message.slice(0, 400).replace(/\p{Cc}/gu, '?'));
  }
}

/** Headers are a few MB at most, nearly all of it vocabulary. These bounds keep a crafted file from taking memory or time. */
const maximumHeader = 48 * 2 ** 20;
const maximumKeys = 100_000;
const maximumItems = 1_000_000;
const maximumTensors = 100_000;
const maximumDimensions = 4;

/** Reads and checks the header; throws `GgufProblem`. Reads no more than 48 MiB, and only as much as the header has. */
export async function readHeader(source: ByteSource): Promise<GgufHeader> {
  const limit = Math.min(source.size, maximumHeader);
  for (let length = 512 * 1024; ; length *= 8) {
    const bytes = await source.read(0, Math.min(length, limit));
    try {
      return parse(new Cursor(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
    } catch (error) {
      if (!(error instanceof TooShort)) throw error;
      if (length < limit) continue;
      if (source.size <= maximumHeader) throw new GgufProblem('it ends within its header: it is truncated');
      throw new GgufProblem(`its header is larger than ${maximumHeader} bytes`);
    }
  }
}

class TooShort extends Error {}

class Cursor {
  offset = 0;
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  take(length: number): number {
    const start = this.offset;
    if (start + length > this.bytes.length) throw new TooShort();
    this.offset = start + length;
    return start;
  }

  uint32(): number {
    return this.bytes.readUInt32LE(this.take(4));
  }

  uint64(): bigint {
    return this.bytes.readBigUInt64LE(this.take(8));
  }

  /** A count or length: 64 bits of which only sane values are let through. */
  count(what: string, maximum: number): number {
    const start = this.take(8);
    const low = this.bytes.readUInt32LE(start);
    if (this.bytes.readUInt32LE(start + 4) !== 0 || low > maximum) {
      throw new GgufProblem(`it claims ${this.bytes.readBigUInt64LE(start)} ${what}`);
    }
    return low;
  }

  /** The one hot loop: a vocabulary has up to some 300,000 texts, a crafted file as many as fit. */
  skipStrings(length: number, key: string): void {
    const { bytes } = this;
    let at = this.offset;
    for (let item = 0; item < length; item++) {
      if (at + 8 > bytes.length) throw new TooShort();
      const low = bytes.readUInt32LE(at);
      if (low > maximumHeader || bytes.readUInt32LE(at + 4) !== 0) {
        throw new GgufProblem(`it claims ${bytes.readBigUInt64LE(at)} bytes in ${key}`);
      }
      at += 8 + low;
    }
    this.offset = at;
    this.take(0);
  }

  string(what: string): string {
    const length = this.count(`bytes of ${what}`, maximumHeader);
    const start = this.take(length);
    return this.bytes.toString('utf8', start, start + length);
  }
}

const typeNames: ReadonlyMap<number, string> = new Map(
  Object.entries(valueTypes).map(([name, number]) => [number, name]),
);

function parse(cursor: Cursor): GgufHeader {
  if (cursor.bytes.length < 4 || cursor.bytes.toString('latin1', 0, 4) !== ggufMagic) {
    throw new GgufProblem('it does not begin with GGUF');
  }
  cursor.offset = 4;
  const version = cursor.uint32();
  if (version !== 0 && (version & 0xffff) === 0) throw new GgufProblem('it is big-endian');
  if (version !== 2 && version !== 3) throw new GgufProblem(`it has GGUF version ${version}`);
  const tensorCount = cursor.count('tensors', maximumTensors);
  const keyCount = cursor.count('metadata keys', maximumKeys);

  const metadata = new Map<string, HeaderValue>();
  const extents = new Map<string, Extent>();
  for (let index = 0; index < keyCount; index++) {
    const from = cursor.offset;
    const key = cursor.string('a key');
    if (metadata.has(key)) throw new GgufProblem(`it has the key ${JSON.stringify(key)} twice`);
    metadata.set(key, readValue(cursor, key));
    extents.set(key, { from, to: cursor.offset });
  }
  const alignment = metadata.get('general.alignment') ?? ggufDefaultAlignment;
  if (typeof alignment !== 'number' || alignment < 1 || (alignment & (alignment - 1)) !== 0) {
    throw new GgufProblem(`its alignment is ${String(alignment)}, not a power of two`);
  }
  const tensors: GgufTensor[] = [];
  for (let index = 0; index < tensorCount; index++) {
    const name = cursor.string('a tensor name');
    const dimensions = cursor.uint32();
    if (dimensions > maximumDimensions) throw new GgufProblem(`tensor ${name} has ${dimensions} dimensions`);
    const shape: bigint[] = [];
    for (let dimension = 0; dimension < dimensions; dimension++) shape.push(cursor.uint64());
    tensors.push({ name, shape, type: cursor.uint32(), offset: cursor.uint64() });
  }
  return {
    version,
    metadata,
    extents,
    tensors,
    dataOffset: Math.ceil(cursor.offset / alignment) * alignment,
    alignment,
  };
}

function readValue(cursor: Cursor, key: string): HeaderValue {
  const type = typeName(cursor.uint32(), key);
  if (type !== 'array') return readScalar(cursor, type);
  const of = typeName(cursor.uint32(), key);
  if (of === 'array') throw new GgufProblem(`its key ${key} is an array of arrays`);
  const length = cursor.count(`items in ${key}`, maximumItems);
  if (of === 'string') {
    cursor.skipStrings(length, key);
  } else {
    cursor.take(length * scalarSize[of]);
  }
  return { of, length };
}

function typeName(number: number, key: string): ScalarType | 'array' {
  const name = typeNames.get(number);
  if (!name) throw new GgufProblem(`its key ${key} has the unknown type ${number}`);
  return name as ScalarType | 'array';
}

function readScalar(cursor: Cursor, type: ScalarType): HeaderValue {
  if (type === 'string') return cursor.string('text');
  const at = cursor.take(scalarSize[type]);
  switch (type) {
    case 'bool':
      return cursor.bytes.readUInt8(at) !== 0;
    case 'uint8':
      return cursor.bytes.readUInt8(at);
    case 'int8':
      return cursor.bytes.readInt8(at);
    case 'uint16':
      return cursor.bytes.readUInt16LE(at);
    case 'int16':
      return cursor.bytes.readInt16LE(at);
    case 'uint32':
      return cursor.bytes.readUInt32LE(at);
    case 'int32':
      return cursor.bytes.readInt32LE(at);
    case 'float32':
      return cursor.bytes.readFloatLE(at);
    case 'float64':
      return cursor.bytes.readDoubleLE(at);
    case 'uint64':
      return cursor.bytes.readBigUInt64LE(at);
    case 'int64':
      return cursor.bytes.readBigInt64LE(at);
  }
}
