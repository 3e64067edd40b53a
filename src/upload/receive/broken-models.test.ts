import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { modelBytes, type TestReceiving, testReceiving } from './test-receiving.ts';

// Every upload waits for the disk some ten times.
vi.setConfig({ testTimeout: 60_000 });

let own: TestReceiving;
beforeEach(async () => {
  own = await testReceiving();
});
afterEach(async () => own[Symbol.asyncDispose]());

const good = await modelBytes('I am whole.');

/** A header of GGUF version 3 with nothing after it. */
function header(tensors: bigint, values: bigint): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.write('GGUF');
  bytes.writeUInt32LE(3, 4);
  bytes.writeBigUInt64LE(tensors, 8);
  bytes.writeBigUInt64LE(values, 16);
  return bytes;
}

/** The good model, with bytes of its header replaced. */
function changed(at: number, bytes: Buffer): Buffer {
  const copy = Buffer.from(good);
  bytes.copy(copy, at);
  return copy;
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

/** Where the offset of the last tensor stands: after its name, shape and type. */
const lastOffset = good.lastIndexOf(Buffer.from('.weight')) + '.weight'.length;

test.each<[string, Buffer]>([
  ['one byte', Buffer.from('G')],
  ['no model at all', Buffer.from('<html>Not found</html>')],
  ['another magic', changed(0, Buffer.from('GGML'))],
  ['another byte order', changed(4, Buffer.from([0, 0, 0, 3]))],
  ['a header alone', header(1n, 1n)],
  ['2^63 tensors', changed(8, u64(2n ** 63n))],
  ['2^63 values', changed(16, u64(2n ** 63n))],
  ['2^63 tensors and nothing else', header(2n ** 63n, 0n)],
  ['a name of 2^62 bytes', changed(24, u64(2n ** 62n))],
  ['cut off in its header', good.subarray(0, 1000)],
  ['cut off in its weights', good.subarray(0, good.length - 32)],
  ['half of it', good.subarray(0, good.length / 2)],
  ['a tensor past the end', changed(lastOffset + 4 + 16 + 4, u64(2n ** 40n))],
])('%s: refused within a second and without eating memory', async (_what, bytes) => {
  const before = process.memoryUsage.rss();
  const work = process.cpuUsage();
  await own.upload('a.gguf', bytes);
  await own.settled();
  expect(await own.one()).toMatchObject({ phase: 'refused', problem: { code: 'verification', status: 422 } });
  // Not by the clock: the disk and other tests have their share in that.
  const { user, system } = process.cpuUsage(work);
  expect((user + system) / 1e6).toBeLessThan(1);
  expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 2 ** 20);
  expect(own.names()).toEqual([]);
});

test('a large file that is none is refused before all of it is hashed', async () => {
  await own.upload('a.gguf', Buffer.alloc(64 * 2 ** 20));
  await own.settled();
  const upload = await own.one();
  expect(upload).toMatchObject({ phase: 'refused', checked: 0 });
  expect(upload?.problem?.detail).toContain('does not begin with GGUF');
});
