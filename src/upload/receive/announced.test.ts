import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { metadataOf, modelBytes, type TestReceiving, testReceiving } from './test-receiving.ts';

// Every upload waits for the disk some ten times.
vi.setConfig({ testTimeout: 60_000 });

let own: TestReceiving;
let bytes: Buffer;
beforeEach(async () => {
  own = await testReceiving();
  bytes = await modelBytes('It came in by an upload.');
});
afterEach(async () => own[Symbol.asyncDispose]());

test.each([
  ['../x.gguf', 'it holds a slash'],
  ['/etc/x.gguf', 'it holds a slash'],
  ['a\0b.gguf', 'a control character'],
  ['a\nb.gguf', 'a control character'],
  ['-rf.gguf', 'begins with a dash'],
  ['.hidden.gguf', 'begins with a dot'],
  ['._x.gguf', 'begins with a dot'],
  [' x.gguf', 'begins or ends with a space'],
  ['current.gguf', 'kept for the link'],
  [`${'x'.repeat(295)}.gguf`, 'longer than 255 bytes'],
  [`${'ü'.repeat(126)}.gguf`, 'longer than 255 bytes'],
  ['a\u202egguf.exe.gguf', 'a character that no name has, U+202E'],
  ['a\u2066b.gguf', 'a character that no name has, U+2066'],
  ['a\u200bb.gguf', 'a character that no name has, U+200B'],
  ['a\ue000b.gguf', 'a character that no name has, U+E000'],
  ['a\u0378b.gguf', 'a character that no name has, U+0378'],
  ['x.bin', 'does not end in .gguf'],
  ['.gguf', 'begins with a dot'],
  ['', 'it is empty'],
])('a file named %j is refused with 400 before anything is made', async (name, why) => {
  const metadata = metadataOf({ filename: name });
  const headers = { 'Upload-Length': 10, 'Upload-Metadata': metadata };
  const { status, problem } = await own.send('POST', '/uploads', { headers });
  expect(status).toBe(400);
  expect(problem).toMatchObject({ code: 'usage', status: 400 });
  expect(problem?.detail).toContain(why);
  expect(existsSync(join(own.models, '.aixcl'))).toBe(false);
});

test.each([
  'CON.gguf',
  'u\u0308.gguf',
  `My "best" model (v2) – größe.gguf`,
  `it's a 模型 🚀👩‍💻 [v1.2]+x.gguf`,
  '<b>a\\b?*|$(x);&#.gguf',
  `${'x'.repeat(250)}.gguf`,
])('a file named %j keeps its name byte for byte', async (name) => {
  await own.upload(name, bytes);
  await own.settled();
  expect(own.names()).toEqual([name]);
});

test.each([
  ['a name that is not UTF-8', { filename: Buffer.from([0x61, 0xff, 0x2e, 0x67, 0x67, 0x75, 0x66]) }],
  ['no name', { other: 'x' }],
  ['a sha256 of 63 digits', { filename: 'a.gguf', sha256: 'a'.repeat(63) }],
  ['a sha256 of other letters', { filename: 'a.gguf', sha256: 'g'.repeat(64) }],
  ['no number of parts', { filename: 'a.gguf', model: 'm' }],
  ['no name of the model', { filename: 'a.gguf', parts: '2' }],
  ['a number of parts that is none', { filename: 'a.gguf', model: 'm', parts: '-1' }],
  ['more parts than any model has', { filename: 'a.gguf', model: 'm', parts: '1001' }],
  ['a model in another folder', { filename: 'a.gguf', model: '../m', parts: '1' }],
])('%s is refused with 400', async (_what, metadata) => {
  const headers = { 'Upload-Length': 10, 'Upload-Metadata': metadataOf(metadata) };
  const { status, problem } = await own.send('POST', '/uploads', { headers });
  expect([status, problem?.code]).toEqual([400, 'usage']);
});

test.each([
  ['no length', {}],
  ['a length that is none', { 'Upload-Length': '-1' }],
  ['a length of nothing', { 'Upload-Length': '0' }],
  ['a length to be told later', { 'Upload-Defer-Length': '1' }],
  ['parts to be put together', { 'Upload-Length': '10', 'Upload-Concat': 'partial' }],
  ['a broken header', { 'Upload-Length': '10', 'Upload-Metadata': 'filename ***' }],
])('%s is refused with 400', async (_what, headers) => {
  const answer = await own.send('POST', '/uploads', {
    headers: { 'Upload-Metadata': metadataOf({ filename: 'a.gguf' }), ...headers },
  });
  expect([answer.status, answer.problem?.code]).toEqual([400, 'usage']);
});
