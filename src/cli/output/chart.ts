export interface ChartWish {
  /** As many as values; where each belongs on the horizontal axis. */
  readonly places: readonly number[];
  /** NaN and infinities are gaps. */
  readonly values: readonly number[];
  /** Characters, labels and axis with it. */
  readonly width: number;
  /** Lines of the drawing, without those of its axis. */
  readonly height: number;
  /** Of `places`, for people. */
  readonly place: (place: number) => string;
}

/** A line through points, in braille, with what is lowest and highest to its left and the ends of its axis below. Empty for fewer than two points. */
export function chart({ places, values, width, height: wished, place }: ChartWish): string[] {
  const points = values.flatMap((value, index) => {
    const at = places[index] ?? Number.NaN;
    return Number.isFinite(value) && Number.isFinite(at) ? [{ at, value }] : [];
  });
  if (points.length < 2) return [];
  const [low, high] = extent(points.map(({ value }) => value));
  const [from, to] = extent(points.map(({ at }) => at));
  // What never changes is one line.
  const height = low === high ? 1 : wished;
  const labels = [numberText(high), numberText(low)];
  const gutter = Math.max(...labels.map(({ length }) => length));
  const columns = Math.max(8, width - gutter - 2);
  const [across, up] = [columns * 2, height * 4];
  const spans: ([number, number] | undefined)[] = new Array(across).fill(undefined);
  for (const { at, value } of points) {
    // All at one place: it is drawn in the middle, as is what never changes.
    const column = Math.round((share(at, from, to) ?? 0.5) * (across - 1));
    const row = Math.round((share(value, low, high) ?? 0.5) * (up - 1));
    const span = spans[column];
    spans[column] = span ? [Math.min(span[0], row), Math.max(span[1], row)] : [row, row];
  }
  const lines = drawn(joined(spans), columns, height).map((line, index) => {
    const label = index === 0 ? labels[0] : index === height - 1 ? labels[1] : '';
    return `${(label ?? '').padStart(gutter)} ${label ? '┤' : '│'}${line.trimEnd()}`.trimEnd();
  });
  const [begin, end] = [place(from), place(to)];
  const space = Math.max(1, columns - begin.length - end.length);
  return [...lines, `${' '.repeat(gutter + 2)}${begin}${from === to ? '' : `${' '.repeat(space)}${end}`}`];
}

/** Four digits that matter. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return String(value);
  if (Math.abs(value) >= 1e7) return value.toExponential(3);
  const text = String(Number(value.toPrecision(4)));
  return text.length > 9 ? value.toExponential(2) : text;
}

function extent(values: readonly number[]): [number, number] {
  return values.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
}

/** From 0 to 1; undefined where there is no extent. Halved, as the whole may be more than a number holds. */
function share(value: number, low: number, high: number): number | undefined {
  const whole = high / 2 - low / 2;
  return whole > 0 ? (value / 2 - low / 2) / whole : undefined;
}

/** Rows of each column, those between points too, each column reaching half way to its neighbours. */
function joined(spans: readonly ([number, number] | undefined)[]): ([number, number] | undefined)[] {
  const filled = [...spans];
  let before: number | undefined;
  for (const [column, span] of spans.entries()) {
    if (!span) continue;
    const previous = before === undefined ? undefined : spans[before];
    if (previous && before !== undefined) {
      const [from, to] = [middle(previous), middle(span)];
      let last = from;
      for (let between = before + 1; between <= column; between += 1) {
        const row = Math.round(from + ((to - from) * (between - before)) / (column - before));
        const reach: [number, number] =
          row > last ? [Math.min(last + 1, row), row] : [row, Math.max(last - 1, row)];
        const own = filled[between];
        filled[between] = own ? [Math.min(own[0], reach[0]), Math.max(own[1], reach[1])] : reach;
        last = row;
      }
    }
    before = column;
  }
  return filled;
}

function middle([low, high]: readonly [number, number]): number {
  return Math.round((low + high) / 2);
}

/** Bits of the eight dots of a braille character, by column and by row from the bottom (Unicode, Braille Patterns). */
const dots = [
  [0x40, 0x04, 0x02, 0x01],
  [0x80, 0x20, 0x10, 0x08],
] as const;

function drawn(spans: readonly ([number, number] | undefined)[], columns: number, height: number): string[] {
  const cells = Array.from({ length: height }, () => new Array<number>(columns).fill(0));
  for (const [column, span] of spans.entries()) {
    if (!span) continue;
    for (let row = span[0]; row <= span[1]; row += 1) {
      const line = cells[height - 1 - Math.floor(row / 4)]!;
      const cell = Math.floor(column / 2);
      line[cell] = (line[cell] ?? 0) | dots[column % 2 === 0 ? 0 : 1][(row % 4) as 0 | 1 | 2 | 3];
    }
  }
  return cells.map((line) =>
    line.map((bits) => (bits === 0 ? ' ' : String.fromCharCode(0x2800 + bits))).join(''),
  );
}
