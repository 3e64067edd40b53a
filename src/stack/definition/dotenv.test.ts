// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Compose's own syntax
import { describe, expect, test } from 'vitest';
import { DotenvError, parseDotenv } from './dotenv.ts';

const parse = (source: string, env: Record<string, string> = {}) =>
  Object.fromEntries(parseDotenv(source, (name) => env[name]));

test('comments, blank lines, export, colons and spaces around the sign are understood', () => {
  expect(parse('\uFEFF# c\n\nA=1\n  export B = 2 \nC: 3\n  # d\nD=x # why\nE=a#b\nF=\nG.h-1[0]=v')).toEqual({
    A: '1',
    B: '2',
    C: '3',
    D: 'x',
    E: 'a#b',
    F: '',
    'G.h-1[0]': 'v',
  });
});

test('single quotes keep everything but an escaped quote', () => {
  expect(parse("A='$X \\n it\\'s # no'")).toEqual({ A: "$X \\n it's # no" });
});

test('double quotes know escapes, span lines and are interpolated', () => {
  expect(parse('A="one\ntwo\\tthree \\"q\\" \\\\ \\$X $X"\nB=2', { X: 'x' })).toEqual({
    A: 'one\ntwo\tthree "q" \\ $X x',
    B: '2',
  });
});

test('interpolation asks the surroundings before the file, and the file before earlier files', () => {
  const earlier = new Map([
    ['OLD', 'old'],
    ['A', 'earlier'],
  ]);
  const source = 'A=file\nB=file\nC=${A} ${B} ${OLD} ${NOPE:-d}';
  const found = parseDotenv(source, (name) => (name === 'B' ? 'env' : undefined), earlier);
  expect(found.get('C')).toBe('file env old d');
});

test('a name alone takes over the surrounding value, and is nothing without one', () => {
  expect(parse('A\nB\nC=1', { A: 'a' })).toEqual({ A: 'a', C: '1' });
});

test('Windows line ends are no part of a value', () => {
  expect(parse('A=1\r\nB="2"\r\nC\r\n', { C: 'c' })).toEqual({ A: '1', B: '2', C: 'c' });
});

describe('what is wrong is placed', () => {
  test.each([
    ['A=1\nB C=2', 2, 'a space in the name "B C"'],
    ['A=1\n\nB!=2', 3, 'unexpected character "!"'],
    ['A="x\ny', 1, 'a value whose " is not closed'],
    ['A=1\nB=${', 2, 'invalid interpolation'],
  ])('%j', (source, line, message) => {
    let thrown: unknown;
    try {
      parse(source);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(DotenvError);
    expect(thrown).toMatchObject({ line, message: expect.stringContaining(message) });
  });
});
