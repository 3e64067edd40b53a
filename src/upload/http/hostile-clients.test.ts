import { readdirSync, readFileSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type TestPage, testPage } from './test-page.ts';

const mib = 1024 * 1024;
let page: TestPage;
/** The clock by which requests are too many. */
let now: number;

beforeEach(async () => {
  now = 0;
  page = await testPage({ limits: { headersMs: 700, graceMs: 300, idleMs: 2000 }, clock: () => now });
});

afterEach(() => page[Symbol.asyncDispose]());

async function status(path: string, headers: Record<string, string> = {}): Promise<number> {
  return (await ask(path, { headers })).response;
}

/** As it is written: fetch would mend the path, and decides the Host itself. */
function ask(
  path: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
) {
  return new Promise<{ response: number; text: string; headers: NodeJS.Dict<string | string[]> }>(
    (resolve, reject) => {
      request({ host: '127.0.0.1', port: page.port, path, method, headers }, async (response) => {
        let text = '';
        for await (const chunk of response) text += chunk;
        resolve({ response: response.statusCode ?? 0, text, headers: response.headers });
      })
        .on('error', reject)
        .end();
    },
  );
}

/** Milliseconds for an answer, of twenty the middle one. */
async function answerTime(cookie: string): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < 20; count += 1) {
    const began = performance.now();
    expect(await status('/api/state', { cookie })).toBe(200);
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b)[10] ?? Number.NaN;
}

test('without a session nothing is to be had but a page that says how to get one', async () => {
  for (const path of ['/', '/page.js', '/api/state', '/api/events', '/uploads', '/uploads/0f3a']) {
    expect([path, await status(path)]).toEqual([path, 401]);
  }
  expect((await ask('/api/backups/b0001/undo', { method: 'POST' })).response).toBe(401);
  expect((await ask('/uploads/0f3a', { method: 'DELETE' })).response).toBe(401);
  const { text, headers } = await ask('/', { headers: { accept: 'text/html' } });
  expect(headers['content-type']).toContain('text/html');
  expect(text).toContain('aixcl ui');
  expect(page.done).toEqual([]);
});

test('whom the link of another site led here is led on once more, by a page of ours: then the browser brings its cookie', async () => {
  const link = { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  const first = await ask('/', { headers: { ...link, 'sec-fetch-site': 'cross-site' } });
  expect([first.response, first.headers.refresh]).toEqual([401, '0; url=/']);
  const second = await ask('/', { headers: { ...link, 'sec-fetch-site': 'same-origin' } });
  expect([second.response, second.headers.refresh]).toEqual([401, undefined]);
});

test('a token is good once: used, unknown, cut or empty ones are not', async () => {
  const token = await page.token();
  const first = await ask(`/?token=${token}`);
  expect([first.response, first.headers.location]).toEqual([303, '/']);
  expect(first.headers['set-cookie']?.[0]).toMatch(
    /^aixcl-session=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/; Max-Age=2592000$/,
  );
  for (const other of [token, 'x'.repeat(43), (await page.token()).slice(1), '', '%00', '..%2f..%2fx']) {
    expect(await status(`/?token=${other}`)).toBe(401);
  }
});

test('who brings a wrong token is told in words that he reads: a browser by a page, anything else by a problem', async () => {
  const typed = await ask('/?token=wrong', { headers: { accept: 'text/html,*/*;q=0.8' } });
  expect([typed.response, typed.headers['content-type']]).toEqual([401, 'text/html; charset=utf-8']);
  expect(typed.text).toContain('aixcl ui');
  for (const headers of [{ accept: '*/*' }, {}]) {
    const { response, text, headers: answered } = await ask('/?token=wrong', { headers });
    expect([response, answered['content-type']]).toEqual([401, 'application/problem+json']);
    expect(JSON.parse(text)).toMatchObject({ code: 'unauthenticated', hint: 'aixcl ui' });
  }
});

test("a request with two Hosts is none: who goes by which is anybody's guess", async () => {
  const cookie = await page.letIn();
  for (const path of ['/health', '/api/state', `/?token=${await page.token()}`]) {
    const { ended } = await page.dial(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nhost: evil.example\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`,
    );
    expect(await ended).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"usage"/);
  }
});

test('HEAD uses no token up, and a token is none anywhere but at the page', async () => {
  const token = await page.token();
  expect((await ask(`/?token=${token}`, { method: 'HEAD' })).response).toBe(401);
  expect(await status(`/api/state?token=${token}`)).toBe(401);
  expect(await status('/api/state', { cookie: `aixcl-session=${token}` })).toBe(401);
  expect(await status(`/?token=${token}`)).toBe(303);
});

test('no other site gets a token used up or a request done, whatever session the browser has', async () => {
  const cookie = await page.letIn();
  const token = await page.token();
  const foreign = { origin: 'https://evil.example', cookie };
  expect(await status(`/?token=${token}`, foreign)).toBe(403);
  expect((await ask('/api/backups/b0001/undo', { method: 'POST', headers: foreign })).response).toBe(403);
  expect((await ask('/uploads', { method: 'OPTIONS', headers: foreign })).response).toBe(403);
  const rebound = { host: `evil.example:${page.port}`, cookie };
  expect(await status(`/?token=${token}`, rebound)).toBe(421);
  expect(await status('/api/state', rebound)).toBe(421);
  expect(await status(`/?token=${token}`)).toBe(303);
  expect(page.done).toEqual([]);
});

test('wrong tokens are answered ever more slowly, and the right one at once all the same', async () => {
  const answers: number[] = [];
  for (let count = 0; count < 12; count += 1) answers.push(await status('/?token=wrong'));
  expect(answers).toEqual([...Array(10).fill(401), 429, 429]);
  expect((await ask('/?token=wrong')).headers['retry-after']).toMatch(/^\d+$/);
  expect(await status(`/?token=${await page.token()}`)).toBe(303);
});

test('one session that asks without pause is told to wait, and others are not', async () => {
  const [greedy, modest] = [await page.letIn(), await page.letIn()];
  for (let count = 0; count < 400; count += 1) {
    expect(await status('/api/jobs/none', { cookie: greedy })).toBe(404);
  }
  expect(await status('/api/jobs/none', { cookie: greedy })).toBe(429);
  expect(await status('/api/state', { cookie: modest })).toBe(200);
  now += 1000;
  expect(await status('/api/jobs/none', { cookie: greedy })).toBe(404);
});

test.each([
  '/api/models/../removal',
  '/api/models/%2e%2e/removal',
  '/api/models/..%2f..%2fetc%2fpasswd/removal',
  '/api/models/a%00b/removal',
  '/api/models/%ff%fe/removal',
  '/api/models/%zz/removal',
  `/api/models/${'a'.repeat(300)}/removal`,
  '/uploads/../../etc/passwd',
  '/uploads/%2e%2e%2fx',
  '/../page.js',
])('400 for the name in %s', async (path) => {
  expect(await status(path, { cookie: await page.letIn() })).toBe(400);
  expect(page.done).toEqual([]);
});

test('a header without end is cut off with 431, and no more of it than a little is taken in', async () => {
  for (const start of [
    'GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ',
    'GET / HTTP/1.1\r\nHost: localhost\r\nCookie: ',
    'GET /',
  ]) {
    const { socket, ended } = await page.dial(start);
    const chunk = 'a'.repeat(64 * 1024);
    const send = () => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('drain', send).on('error', () => undefined);
    send();
    const heard = await ended;
    expect(heard === '' || heard.startsWith('HTTP/1.1 431 ')).toBe(true);
    expect(socket.bytesWritten).toBeLessThan(64 * mib);
  }
  expect(page.said.filter((line) => line === '- - 431')).toHaveLength(3);
});

test('a header of 17 KiB is answered with 431 and says why', async () => {
  const { socket, ended } = await page.dial(
    `GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'a'.repeat(17 * 1024)}\r\n\r\n`,
  );
  expect(await ended).toMatch(/^HTTP\/1\.1 431 [\s\S]*content-security-policy[\s\S]*"code":"tooLarge"/i);
  expect(socket.destroyed).toBe(true);
});

test('who is slow with his headers, or sends none, is cut off with 408', async () => {
  const slow = await page.dial('GET / HTTP/1.1\r\nHost: localhost\r\n');
  const drip = setInterval(() => slow.socket.write('X-A: b\r\n'), 100);
  const silent = await page.dial();
  const began = performance.now();
  expect(await slow.ended).toMatch(/^HTTP\/1\.1 408 /);
  expect(await silent.ended).toMatch(/^HTTP\/1\.1 408 /);
  clearInterval(drip);
  expect(performance.now() - began).toBeLessThan(5000);
});

test('fifty slow senders of bodies cost nobody else anything', async () => {
  const cookies = [await page.letIn(), await page.letIn()];
  const senders = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      page.dial(
        `PATCH /uploads/0f3a HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookies[index % 2]}\r\n` +
          'Content-Type: application/offset+octet-stream\r\nContent-Length: 1000000\r\n\r\n',
      ),
    ),
  );
  const drip = setInterval(() => {
    for (const { socket } of senders) socket.write('x');
  }, 50);
  expect(await answerTime(await page.letIn())).toBeLessThan(100);
  clearInterval(drip);
  // Once they send nothing at all any more, they are let go.
  await Promise.all(senders.map(({ ended }) => ended));
});

test('one browser can not take all connections with its uploads', async () => {
  const cookie = await page.letIn();
  const head = `PATCH /uploads/0f3a HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\nContent-Length: 9\r\n\r\n`;
  const senders = await Promise.all(Array.from({ length: 40 }, () => page.dial(head)));
  const patch = () => fetch(`${page.origin}/uploads/1`, { method: 'PATCH', headers: { cookie }, body: 'x' });
  const refused = await vi.waitUntil(async () => {
    const answer = await patch();
    return answer.status === 429 && answer;
  });
  expect(refused.headers.get('retry-after')).toBe('1');
  for (const { socket } of senders) socket.destroy();
  await vi.waitUntil(async () => (await patch()).status === 204);
});

test('a body that nobody let in is not taken in', async () => {
  const { socket, ended } = await page.dial(
    'PATCH /uploads/0f3a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000000\r\n\r\n',
  );
  const chunk = Buffer.alloc(mib);
  const send = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', send).on('error', () => undefined);
  send();
  const heard = await ended;
  expect(heard === '' || heard.startsWith('HTTP/1.1 401 ')).toBe(true);
  expect(socket.bytesWritten).toBeLessThan(200 * mib);
});

test('who waits for leave to send his body gets it only when he is let in', async () => {
  const head = (cookie: string) =>
    `PATCH /uploads/0f3a HTTP/1.1\r\nHost: localhost\r\n${cookie}Expect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n`;
  const stranger = await page.dial(head(''));
  expect(await stranger.ended).toMatch(/^HTTP\/1\.1 401 /);
  const known = await page.dial(head(`Cookie: ${await page.letIn()}\r\n`));
  known.socket.once('data', () => known.socket.write('ok'));
  expect(await known.ended).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 204 /);
});

test('what is no request is answered with 400', async () => {
  const { ended } = await page.dial('\x16\x03\x01 hello\r\n\r\n');
  expect(await ended).toMatch(/^HTTP\/1\.1 400 /);
});

test('no token and no session stands in the log or in any file', async () => {
  const token = await page.token();
  const cookie = await page.letIn();
  await status(`/?token=${token}`, { cookie });
  await status(`/?token=${token}`);
  await status(`/api/state?token=${token}`, { cookie });
  await status(`/api/models/..?token=${token}`, { cookie });
  const session = cookie.split('=')[1] ?? '';
  await delay(50);
  expect(page.said.length).toBeGreaterThan(3);
  const files = readdirSync(page.home.root, { recursive: true, encoding: 'utf8' })
    .map((name) => join(page.home.root, name))
    .filter((path) => statSync(path).isFile());
  expect(files.length).toBeGreaterThan(1);
  for (const text of [...page.said, ...files, ...files.map((path) => readFileSync(path, 'utf8'))]) {
    expect(text).not.toContain(token);
    expect(text).not.toContain(session);
  }
});

test('the health check is for everybody, and says nothing', async () => {
  const { response, text } = await ask('/health', { headers: { host: 'evil.example' } });
  expect([response, text]).toEqual([204, '']);
});
