import { parseLooseJson } from './loose-json.ts';

/** What a point can be placed by, the best first. */
export const axes = ['step', 'epoch', 'time'] as const;
export type Axis = (typeof axes)[number];
export type Place = Readonly<Partial<Record<Axis, number>>>;

/** One value of a metric; `name` is where it stands in its document: `eval.loss`. */
export interface Point {
  readonly name: string;
  readonly place: Place;
  /** May be NaN or infinite. */
  readonly value: number;
}

const namesOfAxes: ReadonlyMap<string, Axis> = new Map([
  ...(['step', 'global_step', 'steps', 'iteration', 'iterations', 'iter'] as const).map(
    (name) => [name, 'step'] as const,
  ),
  ...(['epoch', 'epochs'] as const).map((name) => [name, 'epoch'] as const),
  ...(['time', 'timestamp', 'wall_time', 'created', 'created_at', 'date', 'datetime'] as const).map(
    (name) => [name, 'time'] as const,
  ),
]);

/** Lists of what was logged, one entry after the other: their names say nothing of the metrics in them. */
const lists = new Set([
  ...['log_history', 'history', 'logs', 'log', 'records', 'entries', 'events'],
  ...['snapshots', 'evolution', 'metrics_history', 'data', 'steps'],
]);

/** Every number of a JSON document. Throws `SyntaxError`. */
export function pointsOfJson(text: string): Point[] {
  return pointsIn(parseLooseJson(text));
}

/** Every number of JSON lines. A line that is no JSON, as the last one of a run that was killed, counts for nothing. */
export function pointsOfJsonLines(text: string): { readonly points: Point[]; readonly unread: number } {
  const points: Point[] = [];
  let unread = 0;
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    try {
      for (const point of pointsIn(parseLooseJson(line))) points.push(point);
    } catch {
      unread += 1;
    }
  }
  return { points, unread };
}

interface Frame {
  readonly value: unknown;
  readonly name: string;
  readonly place: Place;
}

/** Walks with a stack of its own: nothing says how deep a document is. */
function pointsIn(document: unknown): Point[] {
  const points: Point[] = [];
  const stack: Frame[] = [{ value: document, name: '', place: {} }];
  for (let frame = stack.pop(); frame !== undefined; frame = stack.pop()) {
    const { value, name, place } = frame;
    if (typeof value === 'number') points.push({ name: name || 'value', place, value });
    else if (Array.isArray(value)) pushAll(stack, listFrames(value, frame));
    else if (typeof value === 'object' && value !== null) {
      pushAll(stack, objectFrames(value as Readonly<Record<string, unknown>>, frame));
    }
  }
  return points;
}

function pushAll(stack: Frame[], frames: readonly Frame[]): void {
  for (let index = frames.length - 1; index >= 0; index -= 1) stack.push(frames[index]!);
}

function objectFrames(value: Readonly<Record<string, unknown>>, { name, place }: Frame): Frame[] {
  const own = { ...place, ...placeOf(value) };
  const said = value.name ?? value.metric;
  if (typeof said === 'string' && typeof value.value === 'number') {
    return [{ value: value.value, name: join(name, said), place: own }];
  }
  const columns = columnsOf(value);
  return Object.entries(value).flatMap(([key, each]): Frame[] => {
    if (axisOf(key, each) !== undefined) return [];
    if (!isNumbers(each)) return [{ value: each, name: join(name, key), place: own }];
    if (namesOfAxes.has(key.toLowerCase()) && columns.length > 0) return [];
    const beside = columns.filter(({ values }) => values.length === each.length);
    return each.map((number, index) => ({
      value: number,
      name: join(name, key),
      place: Object.fromEntries(beside.map(({ axis, values }) => [axis, values[index]!])),
    }));
  });
}

function listFrames(values: readonly unknown[], { name, place }: Frame): Frame[] {
  const last = name.slice(name.lastIndexOf('.') + 1);
  const outer = lists.has(last) ? name.slice(0, Math.max(0, name.length - last.length - 1)) : name;
  return values.map((value) => {
    const named =
      typeof value === 'object' &&
      value !== null &&
      ('name' in value || 'metric' in value) &&
      'value' in value;
    // Entries follow each other; where the list as a whole stands places none of them.
    return { value, name: outer, place: named ? place : {} };
  });
}

function join(name: string, key: string): string {
  return name === '' ? key : `${name}.${key}`;
}

/** Lists of numbers that say where those beside them belong. */
function columnsOf(
  value: Readonly<Record<string, unknown>>,
): { readonly axis: Axis; readonly values: readonly number[] }[] {
  return Object.entries(value).flatMap(([key, each]) => {
    const axis = namesOfAxes.get(key.toLowerCase());
    return axis !== undefined && isNumbers(each) ? [{ axis, values: each }] : [];
  });
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'number');
}

function placeOf(value: Readonly<Record<string, unknown>>): Place {
  const place: Partial<Record<Axis, number>> = {};
  for (const [key, each] of Object.entries(value)) {
    const axis = axisOf(key, each);
    if (axis !== undefined) place[axis] ??= numberOf(each, axis);
  }
  return place;
}

function axisOf(key: string, value: unknown): Axis | undefined {
  const axis = namesOfAxes.get(key.toLowerCase());
  return axis !== undefined && Number.isFinite(numberOf(value, axis)) ? axis : undefined;
}

/** Of a time, milliseconds where it is a text. */
function numberOf(value: unknown, axis: Axis): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && axis === 'time' ? Date.parse(value) : Number.NaN;
}
