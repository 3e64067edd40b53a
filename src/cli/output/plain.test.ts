import { expect, test } from 'vitest';
import { oneLine, plain } from './plain.ts';

test('what others wrote neither moves the cursor nor turns the line around; letters, emoji and line ends stay', () => {
  expect(plain('a\u001b[2Jb\u0007\u009bc\u202egpj.exe\u2069')).toBe('a [2Jb  c gpj.exe ');
  expect(plain('é 日本 👩‍💻\nשלום')).toBe('é 日本 👩‍💻\nשלום');
});

test('on one line no line end stays', () => {
  expect(oneLine('a\nb\u2028c\td')).toBe('a b c d');
});
