import { expect, test } from 'vitest';
import {
  decodeFileName,
  isModelName,
  isProjectorName,
  nameProblem,
  parseModelName,
  parseShardName,
  quoted,
  shardName,
} from './model-name.ts';

test('names of real models are names', () => {
  for (const name of ['qwen3-4b.Q4_K_M.gguf', 'gemma vision', 'CON', 'modèle.gguf', '模型', '🙂.gguf', 'a']) {
    expect(nameProblem(name), name).toBeUndefined();
  }
});

test('a name is kept byte for byte: composed and decomposed letters stay two names', () => {
  const composed = 'é.gguf'.normalize('NFC');
  const decomposed = 'é.gguf'.normalize('NFD');
  expect(parseModelName(composed)).toBe(composed);
  expect(parseModelName(decomposed)).toBe(decomposed);
  expect(composed).not.toBe(decomposed);
});

test('what could be taken for an option, a path, a hidden file or two lines is refused with the reason', () => {
  expect(nameProblem('-rf')).toContain('dash');
  expect(nameProblem('--model')).toContain('dash');
  expect(nameProblem('../x')).toContain('slash');
  expect(nameProblem('/etc/passwd')).toContain('slash');
  expect(nameProblem('._x.gguf')).toContain('dot');
  expect(nameProblem('..')).toBeDefined();
  expect(nameProblem('')).toContain('empty');
  for (const control of ['\n', '\r', '\0', '\t', '\u001b', '\u007f', '\u0085', '\u2028']) {
    expect(nameProblem(`a${control}b`), quoted(control)).toContain('control');
  }
  expect(nameProblem(' a')).toContain('space');
  expect(nameProblem('current.gguf')).toContain('link');
});

test('255 bytes are a name, 256 are none, counted as the disk counts', () => {
  expect(isModelName('a'.repeat(255))).toBe(true);
  expect(isModelName('a'.repeat(256))).toBe(false);
  expect(isModelName(`${'é'.repeat(127)}a`)).toBe(true);
  expect(isModelName('é'.repeat(128))).toBe(false);
});

test('what is not UTF-8 is refused, not replaced', () => {
  expect(decodeFileName(Buffer.from([0x61, 0xff, 0x62]))).toBeUndefined();
  expect(decodeFileName(Buffer.from('é.gguf'))).toBe('é.gguf');
  expect(decodeFileName(Buffer.from([0xef, 0xbb, 0xbf, 0x61]))).toBe('\uFEFFa');
  expect(nameProblem('a\uD800b')).toContain('UTF-8');
  expect(nameProblem('a\uFFFDb')).toContain('UTF-8');
});

test('parsing throws a usage error that escapes the name', () => {
  expect(() => parseModelName('a\nb')).toThrow(expect.objectContaining({ code: 'usage' }));
  expect(() => parseModelName('a\u001b[2Jb')).toThrow('\\u001b');
});

test('shards are told by their name and only by all of it', () => {
  expect(parseShardName('big-00002-of-00003.gguf')).toEqual({ stem: 'big', number: 2, count: 3 });
  for (const name of [
    'big-2-of-3.gguf',
    'big-00004-of-00003.gguf',
    'big-00000-of-00003.gguf',
    '-00001-of-00002.gguf',
  ]) {
    expect(parseShardName(name), name).toBeUndefined();
  }
  expect(shardName({ stem: 'big', number: 2, count: 12 })).toBe('big-00002-of-00012.gguf');
});

test('projectors are told by their name', () => {
  for (const name of ['mmproj.gguf', 'mmproj-F16.gguf', 'MMPROJ-x.gguf', 'gemma-mmproj-f16.gguf']) {
    expect(isProjectorName(name), name).toBe(true);
  }
  expect(isProjectorName('qwen.gguf')).toBe(false);
});
