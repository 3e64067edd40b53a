import { randomBytes } from 'node:crypto';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type DownloadOptions, download } from './download.ts';
import { probeUrl } from './probe.ts';
import { startTestServer, type TestServer } from './test-server.ts';

const body = randomBytes(3_000_000);
const signal = new AbortController().signal;
const quick = { signal, firstDelay: 1 };

let folder: string;
let path: string;
let server: TestServer;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aixcl-download-'));
  path = join(folder, 'part');
  server = await startTestServer(body);
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function fetchIt(options: Partial<DownloadOptions> = {}): Promise<Buffer> {
  const expected = await probeUrl(server.url, quick);
  const file = await open(path, 'a').then(async (made) => {
    await made.close();
    return await open(path, 'r+');
  });
  server.received ??= 0;
  const onProgress = (done: number) => {
    server.received = done;
    options.onProgress?.(done);
  };
  try {
    await download(server.url, file, expected, { ...quick, ...options, onProgress });
  } finally {
    await file.close();
  }
  return await readFile(path);
}

test('a connection that is cut is taken up where it ended, so that no byte is sent twice', async () => {
  server.cuts = [1_000_000, 500_000, 700_000];
  expect((await fetchIt()).equals(body)).toBe(true);
  expect(server.requests).toEqual([
    'bytes=0-0',
    'whole',
    'bytes=1000000-',
    'bytes=1500000-',
    'bytes=2200000-',
  ]);
});

test('more cuts than tries are no failure while each brings something', async () => {
  server.cuts = Array<number>(20).fill(100_000);
  expect((await fetchIt({ attempts: 3 })).equals(body)).toBe(true);
});

test('a connection that never brings anything is given up, and what came is kept', async () => {
  server.cuts = [1_000_000, 0, 0, 0, 0, 0];
  await expect(fetchIt({ attempts: 3 })).rejects.toThrow(/1 MB are kept/);
  expect((await readFile(path)).equals(body.subarray(0, 1_000_000))).toBe(true);
  server.cuts = [];
  expect((await fetchIt()).equals(body)).toBe(true);
  expect(server.requests.at(-1)).toBe('bytes=1000000-');
});

test('a source that changed is fetched from the start, and no two versions are mixed', async () => {
  const next = randomBytes(body.length);
  server.cuts = [1_000_000];
  const fetching = fetchIt({
    onProgress: (done) => {
      if (done < 900_000) return;
      server.body = next;
      server.etag = '"two"';
    },
  });
  expect((await fetching).equals(next)).toBe(true);
  expect(server.requests).toEqual(['bytes=0-0', 'whole', 'bytes=1000000-']);
});

test('a server that ignores If-Range and sends the rest of another version is noticed', async () => {
  const next = randomBytes(body.length);
  server.conditions = false;
  server.cuts = [1_000_000];
  const fetching = fetchIt({
    onProgress: (done) => {
      if (done < 900_000) return;
      server.body = next;
      server.etag = '"two"';
    },
  });
  expect((await fetching).equals(next)).toBe(true);
});

test('a server that sends less than it was asked for is asked for the rest', async () => {
  server.cuts = [500_000];
  server.longest = 1_000_000;
  expect((await fetchIt()).equals(body)).toBe(true);
});

test('a server without ranges sends the whole again', async () => {
  server.ranges = false;
  server.cuts = [1_000_000];
  expect((await fetchIt()).equals(body)).toBe(true);
});

test('without anything that tells versions apart, the first bytes are not kept', async () => {
  server.etag = undefined;
  const file = await open(path, 'w+');
  await file.write(randomBytes(body.length + 1000));
  await file.close();
  expect((await fetchIt()).equals(body)).toBe(true);
});

test('a source of another size than was agreed on is an error', async () => {
  const expected = await probeUrl(server.url, quick);
  server.body = body.subarray(0, 1000);
  const file = await open(path, 'w+');
  await expect(download(server.url, file, expected, quick)).rejects.toThrow(
    'changed while it was being fetched',
  );
  await file.close();
});

test('a busy server is asked again, a missing file is not', async () => {
  server.failures = [503, 500, 429];
  expect((await fetchIt()).equals(body)).toBe(true);
  server.failures = [404];
  server.etag = '"two"';
  await rm(path);
  await expect(fetchIt()).rejects.toMatchObject({ code: 'notFound' });
  expect(server.failures).toEqual([]);
});

test('a connection on which nothing comes any more counts as cut', async () => {
  server.stallAfter = 1_000_000;
  const fetching = fetchIt({ idleLimit: 100 });
  setTimeout(() => {
    server.stallAfter = undefined;
  }, 50);
  expect((await fetching).equals(body)).toBe(true);
});

test('Ctrl-C ends it at once, with its own reason', async () => {
  const control = new AbortController();
  const reason = new Error('interrupted');
  const fetching = fetchIt({ signal: control.signal, onProgress: () => control.abort(reason) });
  await expect(fetching).rejects.toBe(reason);
});

test('a whole file of an earlier run is not fetched again', async () => {
  await fetchIt();
  const { sent } = server;
  await fetchIt();
  expect(server.sent - sent).toBeLessThan(10);
});
