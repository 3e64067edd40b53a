import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { systemCode } from '../../errors.ts';

/**
 * True when `a` and `b` (or, where they are not there yet, the nearest folders above them that are) lie on the same mount. A hard link needs
 * that: the same file system under two mount points is not enough.
 */
export async function onSameMount(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([nearest(a), nearest(b)]);
  const [one, two] = await Promise.all([stat(first), stat(second)]);
  if (one.dev !== two.dev) return false;
  const points = await mountPoints();
  return points === undefined || pointOf(first, points) === pointOf(second, points);
}

/** `path` with its links followed, or what there is above it. */
export async function nearest(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    try {
      return await realpath(at);
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '') || dirname(at) === at) throw error;
    }
  }
}

/** Undefined where the kernel does not tell. */
async function mountPoints(): Promise<string[] | undefined> {
  if (process.platform !== 'linux') return undefined;
  const table = await readFile('/proc/self/mountinfo', 'utf8').catch(() => undefined);
  // Field 5, with blanks and the like as octal escapes (proc(5)).
  return table
    ?.split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point !== '')
    .map((point) =>
      point.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))),
    );
}

function pointOf(path: string, points: readonly string[]): string {
  const above = points.filter(
    (point) => point === path || path.startsWith(point.endsWith(sep) ? point : point + sep),
  );
  return above.reduce((a, b) => (b.length > a.length ? b : a), '');
}
