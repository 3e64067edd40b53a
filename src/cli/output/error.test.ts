import { expect, test } from 'vitest';
import { AixclError } from '../../errors.ts';
import { errorText } from './error.ts';
import { paintFor } from './paint.ts';

const plain = { format: 'table', debug: false, paint: await paintFor({}, {}, false) } as const;
const error = new AixclError('refused', 'the port is taken', {
  hint: 'free it',
  evidence: ['line 1', 'line 2'],
  cause: new Error('EADDRINUSE'),
});

test('an error says what happened, what shows it and what to type next; no stack', () => {
  expect(errorText(error, plain)).toBe('error: the port is taken\n  | line 1\n  | line 2\nnext: free it');
});

test('an error that was not foreseen says how to see where it comes from; no stack', () => {
  const text = errorText(new TypeError('x is undefined'), plain);
  expect(text).toBe('error: x is undefined\nnext: Run it again with --debug to see where it comes from.');
});

test('with --debug it shows its stack and that of its cause', () => {
  const text = errorText(error, { ...plain, debug: true });
  expect(text).toContain('error.test.ts');
  expect(text).toContain('caused by Error: EADDRINUSE');
});

test('as JSON it is one line with type, code, message, hint and evidence', () => {
  const text = errorText(error, { ...plain, format: 'json' });
  expect(text).not.toContain('\n');
  expect(JSON.parse(text)).toEqual({
    type: 'error',
    code: 'refused',
    message: 'the port is taken',
    hint: 'free it',
    evidence: ['line 1', 'line 2'],
  });
  expect(JSON.parse(errorText('thrown text', { ...plain, format: 'json' }))).toEqual({
    type: 'error',
    code: 'unexpected',
    message: 'thrown text',
    hint: null,
  });
});

test('what others wrote gets no control character to the terminal', () => {
  const foreign = new AixclError('verification', 'a\u001b]0;b\u0007 is\r\nno model', {
    hint: 'ls \u009b31m',
    evidence: ['\u001b[2Jgone\nnot gone'],
  });
  expect(errorText(foreign, plain)).toBe(
    'error: a ]0;b  is \nno model\n  |  [2Jgone not gone\nnext: ls  31m',
  );
});
