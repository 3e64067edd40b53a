// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Compose's own syntax
import { expect, test } from 'vitest';
import { InterpolationError, interpolate } from './interpolation.ts';

const env: Record<string, string> = { A: 'a', EMPTY: '', N: '1' };
const run = (template: string) => interpolate(template, { get: (name) => env[name] });

test.each([
  ['$A ${A} $N', 'a a 1'],
  ['${NOPE:-d} ${EMPTY:-d} ${NOPE-d} ${EMPTY-d}|', 'd d d |'],
  ['${A:+r} ${EMPTY:+r}|${A+r} ${EMPTY+r} ${NOPE+r}|', 'r |r r |'],
  ['${A:?x} ${EMPTY?x}|', 'a |'],
  ['${NOPE:-${ALSO:-${A}/x}}/y', 'a/x/y'],
  ['${NOPE:-{"a": {}}} ${A}', '{"a": {}} a'],
  ['$$A $${A} $$$A', '$A ${A} $a'],
  ['$1 $ $', '$1 $ $'],
  ['${NOPE:-a-b:-c?d}', 'a-b:-c?d'],
  ['$A_B|$A-b', '|a-b'],
])('%s becomes %s', (template, expected) => {
  expect(run(template)).toBe(expected);
});

test('a variable that is not set and has no stand-in is named', () => {
  const missing: string[] = [];
  interpolate('$X ${Y} ${Z:-z} ${Q+q} ${R:-$S}', {
    get: () => undefined,
    missing: (name) => missing.push(name),
  });
  expect(missing).toEqual(['X', 'Y', 'S']);
});

test.each(['${1}', '${A', '${}', '${A!b}', '${A:b}', '${ A }'])('%s is refused', (template) => {
  expect(() => run(template)).toThrow(InterpolationError);
});

test('a required variable gives its own reason', () => {
  expect(() => run('${NOPE:?set it to $A}')).toThrow(
    'required variable NOPE is missing a value: set it to a',
  );
  expect(() => run('${EMPTY:?}')).toThrow('required variable EMPTY is missing a value');
});
