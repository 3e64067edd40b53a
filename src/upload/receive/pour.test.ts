import { once } from 'node:events';
import { Readable } from 'node:stream';
import { setImmediate as soon } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { gathered, pour } from './pour.ts';

/** Bytes that tell where they belong. */
function bytesOf(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 4) bytes.writeUInt32LE(at, Math.min(at, length - 4));
  return bytes;
}

/** Writes slowly, so that what comes meanwhile has to be kept. */
function slowly(ticks: number) {
  const written: Buffer[] = [];
  return {
    written,
    stoppable() {},
    async write(chunks: readonly Uint8Array[]) {
      for (let tick = 0; tick < ticks; tick += 1) await soon();
      written.push(...chunks.map((chunk) => Buffer.from(chunk)));
    },
  };
}

function* cut(bytes: Buffer, sizes: readonly number[]) {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length]!;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

test.each([[[64 * 1024]], [[1, 100_000, 7]], [[gathered]], [[gathered - 1, 2]], [[3 * gathered + 5, 1]]])(
  'pieces of %j bytes are written in their order, none twice, however slow the disk is',
  async (sizes) => {
    const all = bytesOf(5 * gathered + 11);
    for (const ticks of [0, 1, 20]) {
      const vessel = slowly(ticks);
      await pour(Readable.from(cut(all, sizes)), vessel);
      expect(Buffer.concat(vessel.written).equals(all)).toBe(true);
    }
  },
);

test('what came before the connection was cut is written, and of what did not come nothing', async () => {
  const all = bytesOf(2 * gathered);
  const vessel = slowly(3);
  const stream = new Readable({ read() {} });
  const poured = pour(stream, vessel);
  stream.push(all);
  await soon();
  stream.destroy(new Error('cut'));
  await poured;
  expect(Buffer.concat(vessel.written).equals(all)).toBe(true);
});

test('no more is taken from the network than two helpings while the disk stands still', async () => {
  let go = () => {};
  const standing = new Promise<void>((resolve) => {
    go = resolve;
  });
  let taken = 0;
  const stream = new Readable({
    highWaterMark: 64 * 1024,
    read() {
      taken += 64 * 1024;
      this.push(taken > 8 * gathered ? null : Buffer.alloc(64 * 1024));
    },
  });
  const poured = pour(stream, { stoppable() {}, write: () => standing });
  for (let tick = 0; tick < 200; tick += 1) await soon();
  expect(taken).toBeLessThan(3 * gathered);
  go();
  await poured;
  expect(taken).toBeGreaterThan(8 * gathered);
});

test('a disk that refuses ends it, and what still comes is thrown away', async () => {
  const stream = Readable.from(cut(bytesOf(4 * gathered), [64 * 1024]));
  const ended = once(stream, 'end');
  const full = new Error('ENOSPC');
  await expect(pour(stream, { stoppable() {}, write: () => Promise.reject(full) })).rejects.toBe(full);
  await ended;
});
