import { expect, test } from 'vitest';
import { besideUrl, fileNameOf, parseSource, shownUrl, unsupported } from './source.ts';

test('paths, addresses, hub names and Ollama names are told apart', () => {
  const kinds = {
    'a.gguf': 'path',
    './a': 'path',
    '../a.gguf': 'path',
    '/models/a.gguf': 'path',
    'folder/': 'path',
    '.': 'path',
    'https://host/a.gguf?download=true': 'http',
    'HTTP://host/a.gguf': 'http',
    'hf.co/user/repo:Q4_K_M': 'hub',
    'huggingface.co/user/repo': 'hub',
    'llama3.2': 'ollama',
    'llama3.2:1b': 'ollama',
    'user/model:tag': 'ollama',
  };
  for (const [text, kind] of Object.entries(kinds)) expect(parseSource(text).kind, text).toBe(kind);
});

test('addresses of anything but a .gguf file over http are refused', () => {
  for (const text of [
    'https://host/a.zip',
    'https://host/',
    'https://',
    'ftp://host/a.gguf',
    'file:///a.gguf',
    's3://b/a.gguf',
  ]) {
    expect(() => parseSource(text), text).toThrow(expect.objectContaining({ code: 'usage' }));
  }
});

test('what comes later is refused with what works now', () => {
  for (const text of ['llama3.2:1b', 'hf.co/user/repo']) {
    expect(unsupported(parseSource(text) as never)).toMatchObject({
      code: 'usage',
      hint: expect.any(String),
    });
  }
});

test('a file name is decoded once, and a shard keeps the query of its address', () => {
  expect(fileNameOf(new URL('https://h/a%20b%2Fc.gguf?x=1'))).toBe('a b/c.gguf');
  expect(() => fileNameOf(new URL('https://h/%ff.gguf'))).toThrow(expect.objectContaining({ code: 'usage' }));
  expect(besideUrl(new URL('https://h/d/a-00001-of-00002.gguf?x=1'), 'a b').href).toBe(
    'https://h/d/a%20b?x=1',
  );
});

test('what may be secret in an address is not shown', () => {
  expect(shownUrl(new URL('https://user:pass@h/a.gguf?token=secret'))).toBe('https://h/a.gguf');
});
