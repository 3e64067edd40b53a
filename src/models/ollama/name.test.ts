import { expect, test } from 'vitest';
import {
  assertReachable,
  manifestPath,
  meansOllamaName,
  nameFromPath,
  parseOllamaName,
  sameName,
  shownName,
} from './name.ts';

const long = 'a'.repeat(80);

test.each([
  ['tea', 'registry.ollama.ai/library/tea/latest', 'tea:latest'],
  ['tea:v1', 'registry.ollama.ai/library/tea/v1', 'tea:v1'],
  ['llama3.2:1b', 'registry.ollama.ai/library/llama3.2/1b', 'llama3.2:1b'],
  ['someone/tea', 'registry.ollama.ai/someone/tea/latest', 'someone/tea:latest'],
  ['library/tea', 'registry.ollama.ai/library/tea/latest', 'tea:latest'],
  ['registry.ollama.ai/library/tea', 'registry.ollama.ai/library/tea/latest', 'tea:latest'],
  ['Registry.Ollama.AI/Library/Tea:V1', 'Registry.Ollama.AI/Library/Tea/V1', 'Tea:V1'],
  [
    'hf.co/user/repo.name-GGUF:Q4_K_M',
    'hf.co/user/repo.name-GGUF/Q4_K_M',
    'hf.co/user/repo.name-GGUF:Q4_K_M',
  ],
  ['hf.co/library/tea', 'hf.co/library/tea/latest', 'hf.co/library/tea:latest'],
  ['10.0.0.1:5000/library/tea:v1', '10.0.0.1:5000/library/tea/v1', '10.0.0.1:5000/library/tea:v1'],
  [
    'http://localhost:5000/someone/tea',
    'localhost:5000/someone/tea/latest',
    'localhost:5000/someone/tea:latest',
  ],
  ['_a/_b:_c', 'registry.ollama.ai/_a/_b/_c', '_a/_b:_c'],
  [`${long}/${long}:${long}`, `registry.ollama.ai/${long}/${long}/${long}`, `${long}/${long}:${long}`],
])('%s lies at %s and is shown as %s', (text, path, shown) => {
  const name = parseOllamaName(text);
  expect(manifestPath(name)).toBe(path);
  expect(shownName(name)).toBe(shown);
  expect(nameFromPath(path)).toEqual(name);
  expect(sameName(parseOllamaName(shown), name)).toBe(true);
});

test.each([
  '',
  ':',
  'tea:',
  ':v1',
  '/tea',
  'a//tea',
  'a/b/c/tea',
  'https://tea',
  'https://someone/tea',
  'tea:v1:v2',
  'tea@sha256',
  '-tea',
  '.tea',
  '../tea',
  'a/../tea',
  'some.one/tea',
  'tea cup',
  'tea\n',
  'tëa',
  'tea:v/1',
  '.host/a/tea',
  `${long}a`,
  `tea:${long}a`,
  `${'a'.repeat(351)}/b/c`,
])('%j is refused as a name', (text) => {
  expect(() => parseOllamaName(text)).toThrow(expect.objectContaining({ code: 'usage' }));
});

test('a path of a manifest that is no name is none', () => {
  for (const path of ['a/b/c', 'a/b/c/d/e', 'a/b/c/.d', 'a/b.b/c/d', '', '../b/c/d']) {
    expect(nameFromPath(path)).toBeUndefined();
  }
});

test('case does not tell names apart, everything else does', () => {
  const is = (a: string, b: string) => sameName(parseOllamaName(a), parseOllamaName(b));
  expect(is('TEA', 'tea:LATEST')).toBe(true);
  expect(is('tea', 'tea:v1')).toBe(false);
  expect(is('someone/tea', 'tea')).toBe(false);
});

test('a name that Ollama would take for another is refused', () => {
  for (const text of ['tea:local', 'someone/tea:LOCAL', 'hf.co/a/b:local']) {
    expect(() => assertReachable(text)).toThrow(expect.objectContaining({ code: 'refused' }));
  }
  for (const text of ['tea', 'local', 'local/tea', 'tea:local-1', 'tea:cloud']) assertReachable(text);
});

test.each([
  ['tea', 'tea:latest', true],
  ['TEA', 'tea:latest', true],
  ['library/tea', 'tea:latest', true],
  ['tea:two', 'tea:latest', false],
  ['', 'tea:latest', false],
  ['../tea', 'tea:latest', false],
])('%s means %s: %s', (text, name, means) => {
  expect(meansOllamaName(text, name)).toBe(means);
});
