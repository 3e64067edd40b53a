import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type ClientRequest, request } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { modelBytes, sha256, type TestReceiving, testReceiving } from './test-receiving.ts';

/** Fault 33, but for what it takes a process or a disk of its own to show (test/faults/uploads.test.ts). */

// Every upload waits for the disk some ten times.
vi.setConfig({ testTimeout: 60_000 });

let own: TestReceiving;
let bytes: Buffer;
beforeEach(async () => {
  own = await testReceiving();
  // Some 4 MB, so that there is something to cut.
  const model = await modelBytes('It came in pieces.');
  bytes = Buffer.concat([model, noise(4 * 2 ** 20)]);
});
afterEach(async () => own[Symbol.asyncDispose]());

/** The same each time. */
function noise(length: number): Buffer {
  const made = Buffer.alloc(length);
  for (let at = 0, state = 1; at < length; at++) {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    made[at] = state >> 16;
  }
  return made;
}

/** Sends all from `offset` on, and cuts the connection once so many bytes were written to it. */
async function cutAfter(path: string, offset: number, count: number): Promise<void> {
  const sending = begin(path, offset);
  const closed = new Promise<void>((resolve) => sending.once('close', resolve));
  await new Promise<void>((resolve) =>
    sending.write(bytes.subarray(offset, offset + count), () => resolve()),
  );
  sending.destroy();
  await closed;
}

function begin(path: string, offset: number): ClientRequest {
  const sending = request(own.url + path, {
    method: 'PATCH',
    agent: false,
    headers: {
      'Tus-Resumable': '1.0.0',
      'Upload-Offset': offset,
      'Content-Type': 'application/offset+octet-stream',
      'Content-Length': bytes.length - offset,
    },
  });
  sending.on('error', () => {});
  return sending;
}

/** As a tus client does: what was cut may arrive after it asked how much arrived. */
async function resume(path: string): Promise<void> {
  for (let tries = 0; tries < 5; tries++) {
    const offset = await own.offset(path);
    const { status } = await own.patch(path, bytes.subarray(offset), offset);
    if (status === 204) return;
    expect(status).toBe(409);
  }
  throw new Error('it never got on');
}

/** Every name that appears in the models directory, with what stood under it right then. */
function watching(): { readonly seen: Map<string, string>; end(): void } {
  const seen = new Map<string, string>();
  const watcher = watch(own.models, async (_event, name) => {
    if (!name || name.startsWith('.')) return;
    const content = await readFile(join(own.models, name)).catch(() => undefined);
    if (content) seen.set(name, sha256(content));
  });
  return { seen, end: () => watcher.close() };
}

test('cut at any place and resumed: bit for bit, and no byte twice that was answered for', async () => {
  const watched = watching();
  const path = await own.announce('a.gguf', bytes.length);
  const cuts = [1, 4095, 70_000, 65_536, 1_000_003, 2 ** 20, 777];
  let offset = 0;
  for (const [index, count] of cuts.entries()) {
    await cutAfter(path, offset, count);
    if (index === 3) await own.restart();
    // What was cut may arrive after it is asked how much arrived.
    await new Promise((resolve) => setTimeout(resolve, 30));
    const next = await own.offset(path);
    expect(next).toBeGreaterThanOrEqual(offset);
    expect(next).toBeLessThanOrEqual(offset + count);
    offset = next;
    expect(own.names()).toEqual([]);
  }
  expect(offset).toBeGreaterThan(1_000_000);
  await resume(path);
  await own.settled();
  expect(sha256(await readFile(join(own.models, 'a.gguf')))).toBe(sha256(bytes));
  await new Promise((resolve) => setTimeout(resolve, 50));
  watched.end();
  expect([...watched.seen]).toEqual([['a.gguf', sha256(bytes)]]);
});

test('who falls silent loses his turn to the next, who goes on where he stopped', async () => {
  const path = await own.announce('a.gguf', bytes.length);
  const silent = begin(path, 0);
  silent.write(bytes.subarray(0, 300_000));
  while ((await own.one())?.received !== 300_000) await new Promise((resolve) => setTimeout(resolve, 5));
  const began = Date.now();
  expect(await own.offset(path)).toBe(300_000);
  expect(Date.now() - began).toBeLessThan(2500);
  expect((await own.patch(path, bytes.subarray(300_000), 300_000)).status).toBe(204);
  // What he still sends goes nowhere.
  silent.end(bytes.subarray(300_000));
  await own.settled();
  expect(sha256(await readFile(join(own.models, 'a.gguf')))).toBe(sha256(bytes));
});

test('who still sends keeps his turn: another is told 423', async () => {
  const path = await own.announce('a.gguf', bytes.length);
  const sending = begin(path, 0);
  const answered = new Promise<number | undefined>((resolve) => {
    sending.once('response', (response) => resolve(response.resume().statusCode));
  });
  let sent = 0;
  const dripping = setInterval(() => {
    sending.write(bytes.subarray(sent, sent + 10_000));
    sent += 10_000;
  }, 50);
  while (!(await own.one())?.received) await new Promise((resolve) => setTimeout(resolve, 5));
  const second = await own.patch(path, bytes);
  expect(second.problem).toMatchObject({ status: 423, code: 'busy' });
  clearInterval(dripping);
  sending.end(bytes.subarray(sent));
  expect(await answered).toBe(204);
  await own.settled();
  expect(sha256(await readFile(join(own.models, 'a.gguf')))).toBe(sha256(bytes));
});

test('two that send the same at once: each byte is kept once', async () => {
  const path = await own.announce('a.gguf', bytes.length);
  const answers = await Promise.all([own.patch(path, bytes), own.patch(path, bytes)]);
  expect(answers.map(({ status }) => status).sort()).toEqual([204, 409]);
  await own.settled();
  expect(sha256(await readFile(join(own.models, 'a.gguf')))).toBe(sha256(bytes));
});

test('two uploads of one file at once: the second finds the same bytes there', async () => {
  await Promise.all([own.upload('a.gguf', bytes), own.upload('a.gguf', bytes)]);
  await own.settled();
  expect(await own.receiving.list()).toEqual([]);
  expect(own.names()).toEqual(['a.gguf']);
});

test('eight at once, each cut, all arrive', async () => {
  const paths = await Promise.all(
    Array.from({ length: 8 }, (_, index) => own.announce(`m${index}.gguf`, bytes.length)),
  );
  await Promise.all(
    paths.map(async (path, index) => {
      await cutAfter(path, 0, 100_000 * (index + 1));
      await resume(path);
    }),
  );
  await own.settled();
  for (const name of own.names()) {
    expect(sha256(await readFile(join(own.models, name)))).toBe(sha256(bytes));
  }
  expect(own.names()).toHaveLength(8);
});
