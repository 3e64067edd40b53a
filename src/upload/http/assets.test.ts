import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readAssets } from './assets.ts';
import { type TestPage, testPage } from './test-page.ts';

const script = 'console.log("page");'.repeat(50);
let folder: string;
let page: TestPage;
let cookie: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aixcl-assets-'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>page</title>');
  writeFileSync(join(folder, 'page.js'), script);
  writeFileSync(join(folder, 'page.js.br'), brotliCompressSync(script));
  writeFileSync(join(folder, 'page.js.gz'), gzipSync(script));
  writeFileSync(join(folder, 'secrets.txt'), 'of no known kind');
  page = await testPage({ assets: await readAssets(folder) });
  cookie = await page.letIn();
});

afterAll(async () => {
  await page[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Without what fetch does by itself: as it is sent. */
function plainGet(path: string, headers: Record<string, string> = {}) {
  return new Promise<{ response: IncomingMessage; body: Buffer }>((resolve, reject) => {
    get(`${page.origin}${path}`, { headers: { cookie, ...headers } }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      resolve({ response, body: Buffer.concat(chunks) });
    }).on('error', reject);
  });
}

test('what the build compressed is sent to who takes it', async () => {
  const brotli = await plainGet('/page.js', { 'accept-encoding': 'gzip, deflate, br' });
  expect(brotli.response.headers['content-encoding']).toBe('br');
  expect(brotliDecompressSync(brotli.body).toString()).toBe(script);
  const gzip = await plainGet('/page.js', { 'accept-encoding': 'gzip, br;q=0' });
  expect(gzip.response.headers['content-encoding']).toBe('gzip');
  expect(gunzipSync(gzip.body).toString()).toBe(script);
  const plain = await plainGet('/page.js');
  expect(plain.response.headers['content-encoding']).toBeUndefined();
  expect(plain.body.toString()).toBe(script);
  expect(plain.response.headers).toMatchObject({
    'content-type': 'text/javascript; charset=utf-8',
    vary: 'Accept-Encoding',
  });
});

test('a file that is still the same is not sent again; the page itself is kept by no browser', async () => {
  const first = await plainGet('/page.js');
  const etag = first.response.headers.etag ?? '';
  expect(first.response.headers['cache-control']).toBe('no-cache');
  const again = await plainGet('/page.js', { 'if-none-match': etag });
  expect([again.response.statusCode, again.body.length]).toEqual([304, 0]);
  const other = await plainGet('/page.js', { 'if-none-match': '"of an earlier build"' });
  expect(other.response.statusCode).toBe(200);
  const html = await plainGet('/');
  expect(html.response.headers).toMatchObject({ 'cache-control': 'no-store' });
});

test('nothing else of the folder is served, nor what lies beside it', async () => {
  for (const path of ['/secrets.txt', '/page.js.br', '/index.html', '/server.cjs', '/package.json']) {
    expect((await plainGet(path)).response.statusCode).toBe(404);
  }
});

test('HEAD says what GET would, and sends nothing; a page is not written to', async () => {
  const head = await fetch(`${page.origin}/page.js`, { method: 'HEAD', headers: { cookie } });
  expect([head.status, await head.text()]).toEqual([200, '']);
  const post = await fetch(`${page.origin}/page.js`, { method: 'POST', headers: { cookie } });
  expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});
