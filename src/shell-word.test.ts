import { expect, test } from 'vitest';
import { shellWord } from './shell-word.ts';

test('a word that a shell leaves as it is stays so, any other is quoted', () => {
  expect(shellWord('hf.co/user/repo:Q4_K_M')).toBe('hf.co/user/repo:Q4_K_M');
  expect(shellWord('')).toBe("''");
  expect(shellWord('a b')).toBe("'a b'");
  expect(shellWord("it's; rm -rf ~")).toBe("'it'\\''s; rm -rf ~'");
});
