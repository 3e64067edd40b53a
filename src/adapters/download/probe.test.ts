import { expect, test } from 'vitest';
import { describe } from './probe.ts';

const digest = 'a'.repeat(64);
const base64 = Buffer.from(digest, 'hex').toString('base64');

function answer(status: number, headers: Record<string, string>, first: Record<string, string> = {}) {
  const response = new Response(null, { status: status === 200 ? 200 : status, headers });
  return { response, headers: [new Headers(first), response.headers] };
}

test('the size is that of the whole file, wherever it is stated', () => {
  expect(describe(answer(206, { 'content-range': 'bytes 0-0/123', 'content-length': '1' })).size).toBe(123);
  expect(describe(answer(200, { 'content-length': '77' })).size).toBe(77);
  expect(describe(answer(206, { 'content-range': 'bytes 0-0/*' })).size).toBe(null);
  expect(describe(answer(200, {})).size).toBe(null);
  expect(describe(answer(200, { 'content-length': '5' }, { 'x-linked-size': '99' })).size).toBe(99);
});

test('a stated sha256 is found on the redirect and in digest fields, and nothing else is taken for one', () => {
  expect(describe(answer(200, {}, { 'x-linked-etag': `"${digest}"` })).sha256).toBe(digest);
  expect(describe(answer(200, { 'repr-digest': `sha-512=:AAAA:, sha-256=:${base64}:` })).sha256).toBe(digest);
  expect(describe(answer(200, { digest: `SHA-256=${base64}` })).sha256).toBe(digest);
  expect(describe(answer(200, { etag: `"${digest}"` })).sha256).toBe(null);
  expect(describe(answer(200, { 'repr-digest': 'sha-256=:c2hvcnQ=:' })).sha256).toBe(null);
});

test('only what may stand in If-Range is a version', () => {
  expect(describe(answer(200, { etag: '"x"', 'last-modified': 'then' })).version).toBe('"x"');
  expect(describe(answer(200, { etag: 'W/"x"', 'last-modified': 'then' })).version).toBe('then');
  expect(describe(answer(200, { etag: 'W/"x"' })).version).toBe(null);
});
