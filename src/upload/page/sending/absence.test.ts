import { expect, test } from 'vitest';
import { Absence } from './absence.ts';

test('an upload is missing from the first state on that lacks it, unless a later one has it', () => {
  const absence = new Absence();
  expect(absence.see('a', true, 0)).toBeNull();
  expect(absence.see('a', false, 1000)).toBe(1000);
  expect(absence.see('a', false, 2000)).toBe(1000);
  expect(absence.see('a', true, 3000)).toBeNull();
  expect(absence.see('a', false, 4000)).toBe(4000);
});

test('what was forgotten is seen anew', () => {
  const absence = new Absence();
  absence.see('a', false, 0);
  absence.forget('a');
  expect(absence.see('a', false, 1000)).toBe(1000);
});
