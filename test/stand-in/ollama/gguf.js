/** As much of a GGUF header as `show` tells. Throws for what is none. */
import { open } from 'node:fs/promises';

const headerLimit = 32e6;
const numbers = {
  0: ['readUInt8', 1],
  1: ['readInt8', 1],
  2: ['readUInt16LE', 2],
  3: ['readInt16LE', 2],
  4: ['readUInt32LE', 4],
  5: ['readInt32LE', 4],
  6: ['readFloatLE', 4],
  7: ['readUInt8', 1],
  10: ['readBigUInt64LE', 8],
  11: ['readBigInt64LE', 8],
  12: ['readDoubleLE', 8],
};

/** Metadata by key, long arrays empty, and `general.parameter_count` over all tensors. */
export async function ggufInfo(path) {
  const file = await open(path);
  let bytes;
  try {
    const { size } = await file.stat();
    bytes = Buffer.alloc(Math.min(size, headerLimit));
    await file.read(bytes, 0, bytes.length, 0);
  } finally {
    await file.close();
  }
  if (bytes.toString('latin1', 0, 4) !== 'GGUF') throw new Error('invalid file magic');
  let at = 4;
  const take = (type) => {
    if (type === 8) {
      const length = take(10);
      at += length;
      return bytes.toString('utf8', at - length, at);
    }
    const [read, size] = numbers[type] ?? [];
    if (!read) throw new Error(`unknown gguf type ${type}`);
    at += size;
    const value = bytes[read](at - size);
    return type === 7 ? value === 1 : Number(value);
  };
  take(4);
  const [tensors, pairs] = [take(10), take(10)];
  const info = {};
  for (let count = 0; count < pairs; count += 1) {
    const key = take(8);
    const type = take(4);
    if (type !== 9) info[key] = take(type);
    else {
      const [of, length] = [take(4), take(10)];
      const items = [];
      for (let item = 0; item < length; item += 1) items.push(take(of));
      info[key] = length > 5 ? [] : items;
    }
  }
  let parameters = 0;
  for (let count = 0; count < tensors; count += 1) {
    take(8);
    let product = 1;
    for (let left = take(4); left > 0; left -= 1) product *= take(10);
    take(4);
    take(10);
    parameters += product;
  }
  return { ...info, 'general.parameter_count': parameters };
}
