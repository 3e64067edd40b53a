import { expect, test } from 'vitest';
import { selfTestModel } from '../self-test-model.ts';
import type { ByteSource } from './byte-source.ts';
import type { GgufValue } from './format.ts';
import { readHeader } from './header.ts';
import { combineShards, inspectGguf } from './inspect.ts';
import { checkBounds, checkWithLibrary } from './structure.ts';
import { encodeHeader, type TensorToWrite } from './write.ts';

function bytesOf(metadata: Map<string, GgufValue>, tensors: readonly TensorToWrite[]): Buffer {
  const parts: Uint8Array[] = [encodeHeader(metadata, tensors)];
  for (const tensor of tensors) parts.push(...(tensor.data() as Iterable<Uint8Array>));
  return Buffer.concat(parts);
}

const { metadata, tensors } = selfTestModel();
const whole = bytesOf(metadata, tensors);
const headerLength = encodeHeader(metadata, tensors).length;

function source(bytes: Uint8Array, size = bytes.length): ByteSource & { asked: number } {
  return {
    size,
    asked: 0,
    async read(offset, length) {
      this.asked += length;
      const here = bytes.subarray(offset, offset + length);
      if (here.length === length || offset + here.length >= size) return here;
      const filled = new Uint8Array(Math.min(length, size - offset));
      filled.set(here);
      return filled;
    },
  };
}

async function problemOf(bytes: Uint8Array, size?: number): Promise<string> {
  try {
    await inspectGguf(source(bytes, size), { thorough: false });
    return 'none';
  } catch (error) {
    return (error as Error).message;
  }
}

/** A header with these counts and then `rest`. */
function header(tensorCount: bigint, keyCount: bigint, rest: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(24);
  head.write('GGUF');
  head.writeUInt32LE(3, 4);
  head.writeBigUInt64LE(tensorCount, 8);
  head.writeBigUInt64LE(keyCount, 16);
  return Buffer.concat([head, rest]);
}

function key(name: string, type: number, value: Buffer): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(name.length));
  const kind = Buffer.alloc(4);
  kind.writeUInt32LE(type);
  return Buffer.concat([length, Buffer.from(name), kind, value]);
}

const uint64 = (value: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
};
const uint32 = (value: number) => Buffer.from(new Uint32Array([value]).buffer);

test('a whole model passes, and says what it is', async () => {
  const { summary } = await inspectGguf(source(whole), { thorough: true });
  expect(summary).toMatchObject({
    architecture: 'llama',
    role: 'model',
    quantization: 'F32',
    contextLength: 8192,
    license: 'apache-2.0',
    shards: 1,
  });
  expect(summary.parameters).toBe(
    tensors.reduce((sum, tensor) => sum + tensor.shape.reduce((product, size) => product * size, 1), 0),
  );
});

test('cut off anywhere in its header, a model is refused as truncated', async () => {
  for (let length = 4; length < headerLength - 32; length += 997) {
    expect(await problemOf(whole.subarray(0, length)), `${length} bytes`).toContain('truncated');
  }
  expect(await problemOf(whole.subarray(0, 3))).toContain('does not begin with GGUF');
  expect(await problemOf(Buffer.alloc(0))).toContain('does not begin with GGUF');
});

test('cut off anywhere in its weights, be it by one byte, a model is refused as truncated', async () => {
  for (const missing of [1, 32, 60_000, whole.length - headerLength - 1]) {
    expect(await problemOf(whole.subarray(0, whole.length - missing)), `${missing} missing`).toContain(
      'truncated',
    );
  }
});

test('a file that begins otherwise, or has a version nobody loads, is refused', async () => {
  expect(await problemOf(Buffer.from('PK\u0003\u0004 and so on'))).toContain('does not begin with GGUF');
  const old = Buffer.from(whole);
  old.writeUInt32LE(1, 4);
  expect(await problemOf(old)).toContain('version 1');
  const big = Buffer.from(whole);
  big.writeUInt32BE(3, 4);
  expect(await problemOf(big)).toContain('big-endian');
});

/** Milliseconds of this process's own work: what others do on a busy machine says nothing of ours. */
function msSince(began: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1000;
}

test('counts of 2^63 are refused in under a second, whatever they count', async () => {
  const huge = 2n ** 63n;
  const files = {
    tensors: header(huge, 0n),
    keys: header(0n, huge),
    'bytes of a key': header(0n, 1n, uint64(huge)),
    'bytes of a text': header(0n, 1n, key('a', 8, uint64(huge))),
    'items of an array': header(0n, 1n, key('a', 9, Buffer.concat([uint32(4), uint64(huge)]))),
    'texts of an array': header(0n, 1n, key('a', 9, Buffer.concat([uint32(8), uint64(huge)]))),
  };
  for (const [what, bytes] of Object.entries(files)) {
    const began = process.cpuUsage();
    expect(await problemOf(bytes, 2 ** 40), what).toContain('claims');
    expect(msSince(began), what).toBeLessThan(1000);
  }
});

test('a header that never ends is refused in under a second and is not read to the end of the disk', async () => {
  const array = (name: string) =>
    key(name, 9, Buffer.concat([uint32(8), uint64(1_000_000n), Buffer.alloc(8_000_000)]));
  const arrays = Array.from({ length: 7 }, (_, index) => array(`array ${index}`));
  const endless = source(header(0n, 100n, Buffer.concat(arrays)), 2 ** 40);
  const began = process.cpuUsage();
  await expect(readHeader(endless)).rejects.toThrow('larger than');
  expect(msSince(began)).toBeLessThan(1000);
  expect(endless.asked).toBeLessThan(2 ** 28);
});

test('a tensor past the end is refused: by its offset, by its size, by a size that overflows', async () => {
  const tensor = (shape: readonly number[], data = 0): TensorToWrite => ({
    name: 'huge',
    shape,
    type: 'F32',
    data: () => [new Uint8Array(data)],
  });
  expect(await problemOf(bytesOf(metadata, [tensor([1024, 1024], 64)]))).toContain('past the end');
  const header = Buffer.from(encodeHeader(metadata, [tensor([2, 2, 2, 2])]));
  const at = header.indexOf('huge') + 4 + 4;
  for (let dimension = 0; dimension < 4; dimension++) header.writeBigUInt64LE(2n ** 63n, at + 8 * dimension);
  expect(await problemOf(Buffer.concat([header, Buffer.alloc(64)]))).toContain('past the end');
  const far = Buffer.from(encodeHeader(metadata, [tensor([1])]));
  far.writeBigUInt64LE(2n ** 62n, far.indexOf('huge') + 4 + 4 + 8 + 4);
  expect(await problemOf(Buffer.concat([far, Buffer.alloc(64)]))).toContain('past the end');
});

test('tensors that overlap, lie askew, come twice or have too many dimensions are refused', async () => {
  const patched = (change: (bytes: Buffer, at: number) => void) => {
    const bytes = Buffer.from(whole);
    change(bytes, bytes.indexOf('blk.0.attn_norm.weight') + 'blk.0.attn_norm.weight'.length);
    return bytes;
  };
  expect(await problemOf(patched((bytes, at) => bytes.writeBigUInt64LE(0n, at + 16)))).toContain('overlap');
  expect(await problemOf(patched((bytes, at) => bytes.writeBigUInt64LE(3n, at + 16)))).toContain('alignment');
  expect(await problemOf(patched((bytes, at) => bytes.writeUInt32LE(9, at)))).toContain('dimensions');
  expect(await problemOf(bytesOf(metadata, [tensors[1]!, tensors[1]!]))).toContain('twice');
});

test('a row that its type has no blocks for is refused', async () => {
  const bytes = Buffer.from(whole);
  const at = bytes.indexOf('blk.0.attn_norm.weight') + 'blk.0.attn_norm.weight'.length;
  bytes.writeUInt32LE(12, at + 12);
  expect(await problemOf(bytes)).toContain('blocks of 256');
});

test('a key that comes twice, an alignment that is none, an array of arrays are refused', async () => {
  const one = key('general.alignment', 4, uint32(32));
  expect(await problemOf(header(0n, 2n, Buffer.concat([one, one])))).toContain('twice');
  expect(await problemOf(header(0n, 1n, key('general.alignment', 4, uint32(24))))).toContain('power of two');
  expect(await problemOf(header(0n, 1n, key('general.alignment', 4, uint32(0))))).toContain('power of two');
  expect(await problemOf(header(0n, 1n, key('a', 9, uint32(9))))).toContain('array of arrays');
  expect(await problemOf(header(0n, 1n, key('a', 77, uint32(9))))).toContain('unknown type');
});

test('what a crafted file calls its parts reaches no terminal as it is', async () => {
  const bytes = Buffer.from(whole.subarray(0, whole.length - 1));
  bytes.write('out\u001b[2J\n', bytes.indexOf('output.weight'));
  expect(await problemOf(bytes)).not.toMatch(/[\u0000-\u001f]/);
});

test('the library reads what we hold open and refuses what it can not parse', async () => {
  await checkWithLibrary(source(whole));
  await expect(checkWithLibrary(source(header(0n, 2n ** 63n)))).rejects.toThrow("can't be parsed");
});

test('a type that came after our table does not make a file damaged', async () => {
  const bytes = Buffer.from(whole);
  const at = bytes.indexOf('blk.0.attn_norm.weight') + 'blk.0.attn_norm.weight'.length;
  bytes.writeUInt32LE(200, at + 12);
  const found = await readHeader(source(bytes));
  checkBounds(found, bytes.length);
});

test('shards make one model only together and in order', async () => {
  const part = (number: number, own: readonly TensorToWrite[], count = 2) =>
    inspectGguf(
      source(
        bytesOf(
          new Map<string, GgufValue>([
            ...(number === 0 ? metadata : []),
            ['split.no', { type: 'uint16', value: number }],
            ['split.count', { type: 'uint16', value: count }],
            ['split.tensors.count', { type: 'int32', value: tensors.length }],
          ]),
          own,
        ),
      ),
      { thorough: false },
    );
  const first = await part(0, tensors.slice(0, 5));
  const second = await part(1, tensors.slice(5));
  expect(combineShards([first, second]).parameters).toBe(
    first.summary.parameters + second.summary.parameters,
  );
  expect(() => combineShards([first])).toThrow('of which 1');
  expect(() => combineShards([second, first])).toThrow('says that it is shard');
  expect(() => combineShards([first, first])).toThrow('says that it is shard');
  expect(() => combineShards([])).toThrow();
});
