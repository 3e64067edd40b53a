import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { metadataOf, modelBytes, sha256, type TestReceiving, testReceiving } from './test-receiving.ts';

// Every upload waits for the disk some ten times.
vi.setConfig({ testTimeout: 60_000 });

let own: TestReceiving;
let bytes: Buffer;
beforeEach(async () => {
  own = await testReceiving();
  bytes = await modelBytes('It came in by an upload.');
});
afterEach(async () => own[Symbol.asyncDispose]());

test('what tus clients go by stays: 412, 404, 409, and the offset', async () => {
  const path = await own.announce('a.gguf', bytes.length);
  const { status, problem } = await own.send('HEAD', path, { headers: { 'Tus-Resumable': '0.2.2' } });
  expect([status, problem]).toEqual([412, undefined]);
  expect((await own.send('PATCH', '/uploads/0123456789abcdef0123456789abcdef')).status).toBe(400);
  expect((await own.patch('/uploads/0123456789abcdef0123456789abcdef', bytes)).status).toBe(404);
  expect((await own.send('HEAD', '/uploads/x')).status).toBe(404);
  expect((await own.send('GET', path)).status).toBe(404);
  expect((await own.patch(path, bytes.subarray(0, 1000), 5)).problem).toMatchObject({ status: 409 });
  expect((await own.patch(path, bytes.subarray(0, 1000))).headers['upload-offset']).toBe('1000');
  expect((await own.patch(path, bytes.subarray(0, 1000))).status).toBe(409);
  const head = await own.send('HEAD', path);
  expect(head.headers).toMatchObject({ 'upload-offset': '1000', 'upload-length': String(bytes.length) });
  expect(head.headers['access-control-allow-origin']).toBeUndefined();
});

test('more than was announced is refused with 413, and what is there stays good', async () => {
  const path = await own.announce('a.gguf', bytes.length);
  const more = Buffer.concat([bytes, Buffer.from('more')]);
  expect((await own.patch(path, more)).problem).toMatchObject({ status: 413, code: 'tooLarge' });
  expect(await own.offset(path)).toBe(0);
  const chunked = await own.send('PATCH', path, {
    headers: {
      'Upload-Offset': 0,
      'Content-Type': 'application/offset+octet-stream',
      'Transfer-Encoding': 'chunked',
    },
    body: more,
  });
  expect(chunked.status).toBe(413);
  const offset = await own.offset(path);
  expect(offset).toBeLessThanOrEqual(bytes.length);
  expect(own.names()).toEqual([]);
  if (offset < bytes.length) await own.patch(path, bytes.subarray(offset), offset);
  await own.settled();
  expect(sha256(await readFile(join(own.models, 'a.gguf')))).toBe(sha256(bytes));
});

test('what is larger than the disk is refused with 507 before a byte, with what others still need', async () => {
  const answer = await own.send('POST', '/uploads', {
    headers: { 'Upload-Length': 1e15, 'Upload-Metadata': metadataOf({ filename: 'a.gguf' }) },
  });
  expect(answer.problem).toMatchObject({ status: 507, code: 'noSpace' });
  expect(await own.receiving.list()).toEqual([]);
  const limit = Number((await own.send('OPTIONS', '/uploads')).headers['tus-max-size']);
  expect(limit).toBeGreaterThan(0);
  await own.announce('b.gguf', Math.floor(limit * 0.7));
  await expect(own.announce('c.gguf', Math.floor(limit * 0.7))).rejects.toThrow('507');
  expect(Number((await own.send('OPTIONS', '/uploads')).headers['tus-max-size'])).toBeLessThan(limit / 2);
});

test('a models directory that is not there is said so, and not made', async () => {
  await rm(own.models, { recursive: true });
  await expect(own.announce('a.gguf', 10)).rejects.toThrow('is not there');
  expect(existsSync(own.models)).toBe(false);
});

test('no more than 200 uploads lie around', async () => {
  for (let count = 0; count < 200; count++) await own.announce(`a${count}.gguf`, 10);
  await expect(own.announce('one-more.gguf', 10)).rejects.toThrow('200 uploads');
  const [first] = await own.receiving.list();
  await own.send('DELETE', `/uploads/${first!.id}`);
  await own.announce('one-more.gguf', 10);
});

test('a clearing while bytes come ends the sending', async () => {
  const path = await own.announce('a.gguf', 2 ** 30);
  const sending = request(own.url + path, {
    method: 'PATCH',
    headers: {
      'Tus-Resumable': '1.0.0',
      'Upload-Offset': 0,
      'Content-Type': 'application/offset+octet-stream',
      'Content-Length': 2 ** 30,
    },
  });
  sending.on('error', () => {});
  sending.write(Buffer.alloc(100_000));
  while ((await own.one())?.received !== 100_000) await new Promise((resolve) => setTimeout(resolve, 5));
  const began = Date.now();
  expect((await own.send('DELETE', path)).status).toBe(204);
  expect(Date.now() - began).toBeLessThan(1000);
  sending.destroy();
  expect(own.folders()).toEqual([]);
});
