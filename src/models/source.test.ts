import { expect, test } from 'vitest';
import { AixclError } from '../errors.ts';
import { besideUrl, fileNameOf, parseSource, shownSource, shownUrl, unsupported } from './source.ts';

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

test('what may be secret in an address stands in no error about it', () => {
  const urls = [
    'https://user:secret@h/a.zip?token=secret',
    'https://user:secret@h:99999/a.gguf?token=secret',
    'https://user:secret@/a.gguf#secret',
    's3://user:secret@b/a.gguf?token=secret',
    'https://user:sec/ret@h:x/a.gguf?secret',
  ];
  for (const text of urls) {
    const error = thrownBy(() => parseSource(text));
    expect(`${error.message} ${error.hint}`, text).not.toMatch(/secret|sec\/ret|user/);
  }
  const error = thrownBy(() => fileNameOf(new URL('https://user:secret@h/%ff.gguf?token=secret')));
  expect(`${error.message} ${error.hint}`).not.toMatch(/secret|user/);
});

test('a source is shown as it was given, but for what may be secret in it', () => {
  expect(shownSource('https://user:pass@h/a.gguf?token=secret')).toBe('https://h/a.gguf');
  for (const text of ['./a.gguf', 'a@b?c.gguf', 'llama3.2:1b', 'hf.co/user/repo:Q4'])
    expect(shownSource(text)).toBe(text);
});

function thrownBy(run: () => unknown): AixclError {
  try {
    run();
  } catch (error) {
    if (error instanceof AixclError) return error;
  }
  throw new Error('Nothing was thrown');
}
