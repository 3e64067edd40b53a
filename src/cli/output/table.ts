import Table from 'cli-table3';
import type { Column } from '../context.ts';

/** Columns without rules, as `docker ps` prints them. Without rows: the heads alone. */
export function table<T>(items: readonly T[], columns: readonly Column<T>[]): string {
  const none = '';
  const drawn = new Table({
    head: columns.map(({ title }) => title.toUpperCase()),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 3 },
    chars: {
      top: none,
      'top-mid': none,
      'top-left': none,
      'top-right': none,
      bottom: none,
      'bottom-mid': none,
      'bottom-left': none,
      'bottom-right': none,
      left: none,
      'left-mid': none,
      mid: none,
      'mid-mid': none,
      right: none,
      'right-mid': none,
      middle: none,
    },
  });
  drawn.push(...items.map((item) => columns.map(({ value }) => value(item))));
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
