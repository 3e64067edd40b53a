import { expect, test } from 'vitest';
import { targetOf } from './target.ts';

test.each([
  ['/', ['']],
  ['/page.js?v=1', ['page.js']],
  ['/api/models/Qwen%203%20%C3%BC.gguf/removal', ['api', 'models', 'Qwen 3 ü.gguf', 'removal']],
  ['/api/models/hf.co%2Fuser%2Frepo:Q4_K_M/removal', ['api', 'models', 'hf.co/user/repo:Q4_K_M', 'removal']],
  ['/api/models/a%252fb/removal', ['api', 'models', 'a%2fb', 'removal']],
  ['/uploads/0f3a', ['uploads', '0f3a']],
])('%s is decoded once', (url, segments) => {
  expect(targetOf(url)?.segments).toEqual(segments);
});

test('the query stands apart from the path', () => {
  const target = targetOf('/?token=a%2Bb&x=?');
  expect(target?.path).toBe('/');
  expect(target?.query.get('token')).toBe('a+b');
});

test.each([
  ['nothing', undefined],
  ['an address of another server', 'http://evil.example/'],
  ['two dots', '/api/models/../x'],
  ['two dots, encoded', '/api/models/%2e%2E/removal'],
  ['two dots behind an encoded slash', '/api/models/a%2f..%2fb/removal'],
  ['two dots behind an encoded backslash', '/api/models/a%5c..%5cb/removal'],
  ['a backslash', '/api/models/a\\b/removal'],
  ['a NUL', '/api/models/a%00b/removal'],
  ['a line end', '/api/models/a%0ab/removal'],
  ['half an encoding', '/api/models/%4/removal'],
  ['what is no UTF-8', '/api/models/%ff%fe/removal'],
  ['an overlong encoding of a slash', '/api/models/%c0%af/removal'],
  ['bytes that were not encoded', '/api/models/\xe9/removal'],
  ['a name of 300 bytes', `/api/models/${'a'.repeat(300)}/removal`],
  ['a name of 100 letters that are 300 bytes', `/api/models/${'%E2%82%AC'.repeat(100)}/removal`],
])('%s is no target', (_, url) => {
  expect(targetOf(url)).toBeUndefined();
});
