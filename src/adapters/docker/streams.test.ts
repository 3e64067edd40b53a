import { expect, test } from 'vitest';
import { frames, jsonLines, lines, logLines } from './streams.ts';

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size));
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

function frame(stream: 'stdout' | 'stderr', payload: Buffer | string): Buffer {
  const body = Buffer.from(payload);
  const head = Buffer.alloc(8);
  head[0] = stream === 'stderr' ? 2 : 1;
  head.writeUInt32BE(body.length, 4);
  return Buffer.concat([head, body]);
}

const sizes = [1, 2, 3, 7, 8, 9, 1000];

test.each(sizes)(
  'lines are whole in chunks of %i bytes, also with characters of several bytes',
  async (size) => {
    const source = Buffer.from('größe 1\r\n\nlast line 語 without an end');
    expect(await all(lines(inChunks(source, size)))).toEqual(['größe 1', '', 'last line 語 without an end']);
  },
);

test('what does not end in a line feed twice is no line of its own', async () => {
  expect(await all(lines(inChunks(Buffer.from('a\n'), 1)))).toEqual(['a']);
  expect(await all(lines(inChunks(Buffer.alloc(0), 1)))).toEqual([]);
});

test.each(sizes)('JSON values are read in chunks of %i bytes', async (size) => {
  const source = Buffer.from('{"a":"ä"}\r\n\n{"b":2}');
  expect(await all(jsonLines(inChunks(source, size)))).toEqual([{ a: 'ä' }, { b: 2 }]);
});

test.each(sizes)('frames are whole in chunks of %i bytes', async (size) => {
  const source = Buffer.concat([frame('stdout', 'one'), frame('stderr', ''), frame('stderr', 'two')]);
  const found = await all(frames(inChunks(source, size)));
  expect(found.map(({ stream, bytes }) => `${stream} ${bytes}`)).toEqual([
    'stdout one',
    'stderr ',
    'stderr two',
  ]);
});

test.each(sizes)(
  'a line that comes in several frames, mixed with the other stream, is put together (chunks of %i)',
  async (size) => {
    const word = Buffer.from('größe');
    const source = Buffer.concat([
      frame('stdout', word.subarray(0, 3)),
      frame('stderr', 'err'),
      frame('stdout', word.subarray(3)),
      frame('stdout', '\nnext\r\nhalf'),
      frame('stderr', 'or\n'),
    ]);
    expect(
      (await all(logLines(inChunks(source, size), false))).map(({ stream, text }) => `${stream} ${text}`),
    ).toEqual(['stdout größe', 'stdout next', 'stderr error', 'stdout half']);
  },
);

test('bytes that are no UTF-8 are shown as such, also at the very end', async () => {
  const source = frame('stdout', Buffer.from([0x61, 0xff, 0x62, 0x0a, 0x63, 0xe2, 0x82]));
  expect((await all(logLines(inChunks(source, 5), false))).map(({ text }) => text)).toEqual([
    'a\uFFFDb',
    'c\uFFFD',
  ]);
});

test('a byte order mark in the middle of a log belongs to the log', async () => {
  const source = frame('stdout', '\uFEFFa\n');
  expect((await all(logLines(inChunks(source, 100), false)))[0]?.text).toBe('\uFEFFa');
});

test('the log of a terminal is one raw stream', async () => {
  const found = await all(logLines(inChunks(Buffer.from('a\r\nb\r\n'), 2), true));
  expect(found).toEqual([
    { stream: 'stdout', text: 'a' },
    { stream: 'stdout', text: 'b' },
  ]);
});
