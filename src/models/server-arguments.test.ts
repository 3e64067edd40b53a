import { expect, test } from 'vitest';
import { type ArgumentChange, changeArguments } from './server-arguments.ts';

const nothing: ArgumentChange = { clear: false, rest: [] };

test('an option that is given again replaces the stored one, however either is spelled', () => {
  expect(changeArguments(['-c', '512', '--threads', '2'], { ...nothing, ctxSize: 8192 })).toEqual([
    '--threads',
    '2',
    '--ctx-size',
    '8192',
  ]);
  expect(changeArguments(['--gpu-layers', '3'], { ...nothing, rest: ['-ngl', '-1'] })).toEqual([
    '-ngl',
    '-1',
  ]);
});

test('an option may come several times in one command', () => {
  const rest = ['--lora', 'a.gguf', '--lora', 'b.gguf'];
  expect(changeArguments(['--lora', 'old.gguf'], { ...nothing, rest })).toEqual(rest);
});

test('--clear starts anew, --no-embedding takes back', () => {
  expect(changeArguments(['--threads', '2'], { ...nothing, clear: true, ctxSize: 1 })).toEqual([
    '--ctx-size',
    '1',
  ]);
  expect(changeArguments(['--embeddings', '-fa', 'on'], { ...nothing, embedding: false })).toEqual([
    '-fa',
    'on',
  ]);
});

test('what aixcl decides can not be set, in any spelling', () => {
  for (const rest of [
    ['-m', 'x'],
    ['--model=x'],
    ['--alias', 'x'],
    ['--port', '1'],
    ['--host=::'],
    ['-hf', 'u/r'],
    ['--version'],
  ]) {
    expect(() => changeArguments([], { ...nothing, rest }), rest[0]).toThrow(
      expect.objectContaining({ code: 'usage' }),
    );
  }
  expect(() => changeArguments([], { ...nothing, rest: ['--threads', '2', '--port', '1'] })).toThrow(
    '--port',
  );
});

test('an argument that would not stay one line, or is no option, is refused', () => {
  for (const rest of [['--a\n--port'], ['--a', ''], ['--a', 'b\0'], ['value']]) {
    expect(() => changeArguments([], { ...nothing, rest })).toThrow(
      expect.objectContaining({ code: 'usage' }),
    );
  }
});
