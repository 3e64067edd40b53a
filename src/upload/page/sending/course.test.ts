import { expect, test } from 'vitest';
import { beginCourse, observe, outlook } from './course.ts';

/** Ten megabytes a second, looked at twice a second. */
function steady(seconds: number) {
  let course = beginCourse(0, 0);
  for (let at = 500; at <= seconds * 1000; at += 500) course = observe(course, at * 10_000, at);
  return course;
}

test('a steady course tells its rate and the time left', () => {
  expect(outlook(steady(10), 400e6, 10_000)).toEqual({ rate: 10e6, left: 30 });
});

test('nothing is said before two looks', () => {
  expect(outlook(beginCourse(5, 0), 100, 10)).toBeNull();
});

test('what was there before a resume counts as no speed', () => {
  const course = observe(beginCourse(3e9, 0), 3.01e9, 1000);
  expect(course.rate).toBe(10e6);
});

test('one slow second moves the rate, and does not become it', () => {
  const { rate } = observe(steady(10), 100e6 + 1, 11_000);
  expect(rate).toBeLessThan(10e6);
  expect(rate).toBeGreaterThan(8e6);
});

test('bytes sent in vain make no negative rate', () => {
  const back = observe(steady(10), 92e6, 10_500);
  expect(back.rate).toBe(10e6);
  expect(observe(back, 97e6, 11_000).rate).toBeCloseTo(10e6);
});

test('nothing is promised of a course that stalls', () => {
  expect(outlook(steady(10), 400e6, 16_000)).toBeNull();
});
