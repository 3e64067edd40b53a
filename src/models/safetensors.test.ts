import { expect, test } from 'vitest';
import type { ByteSource } from './gguf/byte-source.ts';
import { readSafetensors } from './safetensors.ts';
import { bytesSource, safetensors } from './test-adapters.ts';

const whole = safetensors({ 'a.weight': { dtype: 'F32', shape: [2, 3] }, b: { dtype: 'BF16', shape: [4] } });

test('tensors are told with where their data lies, in the order in which it does', async () => {
  const { tensors, dataOffset } = await readSafetensors(bytesSource(whole));
  expect(tensors).toEqual([
    { name: 'a.weight', dtype: 'F32', shape: [2, 3], from: 0, to: 24 },
    { name: 'b', dtype: 'BF16', shape: [4], from: 24, to: 32 },
  ]);
  expect(dataOffset + 32).toBe(whole.length);
});

test('what is cut off, anywhere, is not whole', async () => {
  for (let length = 0; length < whole.length; length += 7) {
    await expect(readSafetensors(bytesSource(whole.subarray(0, length)))).rejects.toThrow(
      /truncated|no JSON/,
    );
  }
});

test('bytes that belong to no tensor are not whole either', async () => {
  const longer = Buffer.concat([whole, Buffer.alloc(8)]);
  await expect(readSafetensors(bytesSource(longer))).rejects.toThrow('8 bytes of it belong to no tensor');
});

test.each([
  ['{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', 4, 'its shape and type say 8'],
  ['{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', 8, 'does not lie behind'],
  ['{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', 4, 'nothing usable'],
  ['{"a":{"dtype":"F32"}}', 0, 'nothing usable'],
  ['[]', 0, 'no JSON object'],
  ['{', 0, 'no JSON'],
])('a header that does not fit is refused: %s', async (header, data, why) => {
  await expect(readSafetensors(bytesSource(fileOf(header, data)))).rejects.toThrow(why);
});

test('metadata is no tensor, and a type that came later is believed', async () => {
  const header = '{"__metadata__":{"format":"pt"},"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}';
  const { tensors } = await readSafetensors(bytesSource(fileOf(header, 2)));
  expect(tensors).toMatchObject([{ name: 'a', dtype: 'F4' }]);
});

test('a header that claims 2^63 bytes is refused before anything is read', async () => {
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(2n ** 63n);
  const asked: number[] = [];
  const source: ByteSource = {
    size: 2 ** 40,
    async read(_offset, length) {
      asked.push(length);
      return head.subarray(0, length);
    },
  };
  await expect(readSafetensors(source)).rejects.toThrow('it claims a header of 9223372036854775808 bytes');
  expect(asked).toEqual([8]);
});

function fileOf(header: string, data: number): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, Buffer.from(header), Buffer.alloc(data)]);
}
