/** How fast bytes go, smoothed over some seconds. A course is plain data; times are milliseconds of one clock. */
export interface Course {
  readonly bytes: number;
  readonly at: number;
  /** Bytes a second; null before two looks. */
  readonly rate: number | null;
}

/** Milliseconds after which a change of speed shows to two thirds. */
const memory = 5000;
/** Looks that are closer together than this, in milliseconds, are one. */
const apart = 250;
/** After so many milliseconds without a byte nothing is promised any more. */
const stall = 5000;

export function beginCourse(bytes: number, at: number): Course {
  return { bytes, at, rate: null };
}

/** Bytes that became fewer were sent in vain: the rate of before holds, from there on. */
export function observe(course: Course, bytes: number, at: number): Course {
  if (bytes < course.bytes) return { ...course, bytes, at };
  const elapsed = at - course.at;
  if (elapsed < apart || bytes === course.bytes) return course;
  const latest = ((bytes - course.bytes) / elapsed) * 1000;
  const weight = Math.exp(-elapsed / memory);
  const rate = course.rate === null ? latest : course.rate * weight + latest * (1 - weight);
  return { bytes, at, rate };
}

/** Bytes a second, and seconds until `total`; null where nothing can be said. */
export function outlook(course: Course, total: number, now: number): { rate: number; left: number } | null {
  if (course.rate === null || course.rate <= 0 || now - course.at > stall) return null;
  return { rate: course.rate, left: Math.max(0, total - course.bytes) / course.rate };
}
