import { type Axis, axes, type Point, pointsOfJson, pointsOfJsonLines } from './points.ts';

/** One metric over a run. */
export interface Series {
  /** `loss`; with the file before it where files of several kinds have metrics. */
  readonly name: string;
  /** What its points are placed by; null: their order. */
  readonly axis: Axis | null;
  readonly places: readonly number[];
  /** As many. NaN and infinities among them. */
  readonly values: readonly number[];
}

/** Names of files that are read as snapshots of a run. */
export function isEvolutionFile(path: string): boolean {
  return /\.(json|jsonl|ndjson)$/i.test(path);
}

/** Bytes of a file that is read for its metrics; a larger one is kept as it is. */
export const largestRead = 256 * 2 ** 20;

interface Growing {
  readonly kind: string;
  readonly name: string;
  readonly points: Point[];
  /** Of the files before the one that is being read. */
  readonly known: Set<string>;
}

/** Gathers metrics over the files of a run, in the order of their names. What can't be read is said in `problems`. */
export class Evolution {
  readonly problems: string[] = [];
  readonly #growing = new Map<string, Growing>();

  /** Files are to come in the order of `byName`. */
  add(path: string, text: string): void {
    for (const [key, points] of grouped(kindOf(path), this.#read(path, text))) {
      const growing = this.#growing.get(key) ?? this.#begin(key);
      // A trainer repeats in each checkpoint what it logged before.
      const fresh = points.filter((point) => !isPlaced(point) || !growing.known.has(keyOf(point)));
      for (const point of fresh) growing.points.push(point);
      for (const point of fresh) if (isPlaced(point)) growing.known.add(keyOf(point));
    }
  }

  /** In the order in which they came. */
  series(): Series[] {
    const all = [...this.#growing.values()];
    const kinds = new Set(all.map(({ kind }) => kind));
    return all.map(({ kind, name, points }) => {
      const axis = axes.find((each) => points.every(({ place }) => place[each] !== undefined)) ?? null;
      return {
        name: kinds.size > 1 ? `${kind}: ${name}` : name,
        axis,
        places: points.map(({ place }, index) => (axis === null ? index + 1 : place[axis]!)),
        values: points.map(({ value }) => value),
      };
    });
  }

  #begin(key: string): Growing {
    const [kind = '', name = ''] = JSON.parse(key) as string[];
    const growing = { kind, name, points: [], known: new Set<string>() };
    this.#growing.set(key, growing);
    return growing;
  }

  #read(path: string, text: string): readonly Point[] {
    if (/\.json$/i.test(path)) {
      try {
        return pointsOfJson(text);
      } catch {
        // Some write lines into a file of that name.
      }
    }
    const { points, unread } = pointsOfJsonLines(text);
    if (unread > 0) {
      this.problems.push(`${path}: ${unread} ${unread === 1 ? 'line is' : 'lines are'} no JSON`);
    }
    return points;
  }
}

/** Numbers in names count as numbers: `step-9` before `step-10`. */
export const byName = new Intl.Collator('en', { numeric: true }).compare;

/** `checkpoint-100/state.json` and `checkpoint-200/state.json` are of one kind. */
function kindOf(path: string): string {
  return path.replace(/\d+/g, '#');
}

function grouped(kind: string, points: readonly Point[]): Map<string, Point[]> {
  const groups = new Map<string, Point[]>();
  for (const point of points) {
    const key = JSON.stringify([kind, point.name]);
    const group = groups.get(key);
    if (group) group.push(point);
    else groups.set(key, [point]);
  }
  return groups;
}

function isPlaced({ place }: Point): boolean {
  return axes.some((axis) => place[axis] !== undefined);
}

function keyOf({ place, value }: Point): string {
  return `${axes.map((axis) => place[axis]).join()} ${value}`;
}

/** What a series comes down to. Numbers that are none are left out; null where all are. */
export interface SeriesSummary {
  readonly name: string;
  readonly by: Axis | null;
  readonly points: number;
  readonly first: number | null;
  readonly last: number | null;
  readonly min: number | null;
  readonly max: number | null;
}

export function summarizeSeries({ name, axis, values }: Series): SeriesSummary {
  const finite = values.filter(Number.isFinite);
  const reduced = (choose: (a: number, b: number) => number) =>
    finite.length > 0 ? finite.reduce((a, b) => choose(a, b)) : null;
  return {
    name,
    by: axis,
    points: values.length,
    first: finite[0] ?? null,
    last: finite.at(-1) ?? null,
    min: reduced(Math.min),
    max: reduced(Math.max),
  };
}
