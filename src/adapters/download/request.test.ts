import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { get, Transient } from './request.ts';

const signal = new AbortController().signal;
const seen: { path: string; authorization: string | undefined }[] = [];
const http = [0, 1].map(() =>
  createServer((request, response) => {
    seen.push({ path: request.url!, authorization: request.headers.authorization });
    if (request.url === '/loop.gguf') response.writeHead(302, { location: '/loop.gguf' }).end();
    else if (request.url === '/astray.gguf') response.writeHead(302, { location: 'http://[' }).end();
    else if (request.url === '/away.gguf') {
      response.writeHead(302, { location: `${origin(1)}/file.gguf`, 'x-linked-etag': 'stated' }).end();
    } else if (request.url === '/missing.gguf') response.writeHead(404).end();
    else if (request.url === '/secret.gguf') response.writeHead(401).end();
    else if (request.url === '/busy.gguf') response.writeHead(503, { 'retry-after': '7' }).end();
    else response.end('bytes');
  }),
);
const origin = (index: number) => `http://127.0.0.1:${(http[index]!.address() as AddressInfo).port}`;

beforeEach(async () => {
  seen.length = 0;
  for (const server of http) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  for (const server of http) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

test('redirects are followed and the headers of each are kept', async () => {
  const { response, headers } = await get(new URL(`${origin(0)}/away.gguf`), {}, signal);
  expect(await response.text()).toBe('bytes');
  expect(headers[0]!.get('x-linked-etag')).toBe('stated');
});

test('name and password of an address go to its own host and to no other', async () => {
  const url = new URL(`${origin(0)}/away.gguf`);
  url.username = 'me';
  url.password = 'p:w';
  await (await get(url, {}, signal)).response.text();
  expect(seen).toEqual([
    { path: '/away.gguf', authorization: `Basic ${Buffer.from('me:p:w').toString('base64')}` },
    { path: '/file.gguf', authorization: undefined },
  ]);
});

test('what is worth another try is told from what is not', async () => {
  const ask = (path: string) => get(new URL(`${origin(0)}${path}`), {}, signal);
  await expect(ask('/missing.gguf')).rejects.toMatchObject({ code: 'notFound' });
  await expect(ask('/secret.gguf')).rejects.toMatchObject({ code: 'refused' });
  await expect(ask('/loop.gguf')).rejects.toMatchObject({ code: 'unexpected' });
  await expect(ask('/astray.gguf')).rejects.toMatchObject({ code: 'unexpected' });
  await expect(ask('/busy.gguf')).rejects.toMatchObject({ retryAfter: 7000 });
  await expect(get(new URL('http://127.0.0.1:1/x.gguf'), {}, signal)).rejects.toThrow(Transient);
});
