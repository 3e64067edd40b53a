import { expect, test } from 'vitest';
import { AixclError } from '../errors.ts';
import { besideUrl, fileNameOf, parseSource, shownSource, shownUrl } from './source.ts';

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
    'hf.co/user/repo:Q4_K_M': 'ollama',
    'huggingface.co/user/repo': 'ollama',
    'localhost:5000/user/model:tag': 'ollama',
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

test("the Hub's models go to Ollama unless llama-server is asked to have them", () => {
  expect(parseSource('hf.co/user/repo:Q4_K_M', 'llama-server')).toMatchObject({
    kind: 'hub',
    repo: 'user/repo',
    choice: 'Q4_K_M',
  });
  expect(parseSource('HF.co/user/repo', 'llama-server')).toMatchObject({ kind: 'hub', choice: null });
  expect(parseSource('hf.co/user/repo:a-Q4_0.gguf', 'llama-server')).toMatchObject({
    choice: 'a-Q4_0.gguf',
  });
  expect(parseSource('hf.co/user/repo:Q4_K_M', 'ollama')).toMatchObject({
    kind: 'ollama',
    name: { host: 'hf.co', namespace: 'user', model: 'repo', tag: 'Q4_K_M' },
  });
});

test('what a runtime can not have is refused, with what it can', () => {
  for (const [text, runtime] of [
    ['llama3.2', 'llama-server'],
    ['a.gguf', 'ollama'],
    ['https://host/a.gguf', 'ollama'],
    ['hf.co/user', 'llama-server'],
    ['hf.co/user/../repo', 'llama-server'],
    ['hf.co/../..', 'llama-server'],
    ['hf.co/user/repo:a b', 'llama-server'],
    ['-x/y:z', undefined],
    ['a b', undefined],
  ] as const) {
    const refused = expect.objectContaining({ code: 'usage', hint: expect.any(String) });
    expect(() => parseSource(text, runtime), text).toThrow(refused);
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
