import type { JournalEntry } from '../../../plan/journal.ts';
import type { JournalledOperation } from '../../../plan/operations.ts';
import type { Column, Paint } from '../../context.ts';
import { oneLine } from '../../output/plain.ts';
import { duration } from '../../output/quantity.ts';

export function columns(paint: Paint): Column<JournalledOperation>[] {
  return [
    { title: 'Id', value: ({ id }) => shortId(id) },
    { title: 'Began', value: ({ began }) => localTime(began) },
    { title: 'Command', value: commandOf },
    { title: 'Steps', value: ({ steps }) => String(steps.length), align: 'right' },
    { title: 'Outcome', value: (operation) => outcomeWords(operation, paint) },
  ];
}

/** The part of an id that tells it from the others of its second. */
function shortId(id: string): string {
  return id.slice(id.lastIndexOf('-') + 1);
}

/** `2026-11-22 03:09:04`, in this machine's time zone. */
export function localTime(iso: string): string {
  const time = new Date(iso);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  return `${day} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':')}`;
}

function commandOf({ command, targets }: Pick<JournalledOperation, 'command' | 'targets'>): string {
  return oneLine([command ?? '?', ...targets].join(' '));
}

function outcomeWords({ outcome, because }: JournalledOperation, paint: Paint): string {
  const why = because && outcome !== 'interrupted' ? `: ${oneLine(because)}` : '';
  switch (outcome) {
    case 'done':
      return paint.good('done');
    case 'running':
      return 'running';
    case 'failed':
      return paint.bad('failed') + why;
    case 'partly':
    case 'interrupted':
      return paint.warn(outcome) + why;
    case null:
      return `unknown: it began in another container`;
  }
}

/** One operation with all its steps. `all`: those that may have resolved it. */
export function describeOperation(
  operation: JournalledOperation,
  all: readonly JournalledOperation[],
  paint: Paint,
): string {
  const { id, began, ended, steps, resolution } = operation;
  const took = ended === null ? '' : `, ${duration(Date.parse(ended) - Date.parse(began))}`;
  const facts = [
    ['Command', commandOf(operation)],
    ['Id', id],
    ['Began', localTime(began)],
    ['Ended', ended === null ? '-' : `${localTime(ended)}${took}`],
    ['Outcome', outcomeWords(operation, paint)],
    ...(resolution === null ? [] : [['Resolved', resolvedWords(operation, all)]]),
  ];
  const lines = facts.map(([name = '', value]) => `${paint.bold(name.padEnd(8))}  ${value}`);
  if (steps.length === 0) return [...lines, '', 'No step was taken.'].join('\n');
  return [
    ...lines,
    '',
    ...steps.map(({ time, ...step }) => `${paint.dim(localTime(time))}  ${stepWords(step)}`),
  ].join('\n');
}

function stepWords(step: {
  readonly kind: string;
  readonly target: string;
  readonly because: string;
}): string {
  return oneLine(`${step.kind} ${step.target}: ${step.because}`);
}

function resolvedWords(
  { resolvedBy, resolution }: JournalledOperation,
  all: readonly JournalledOperation[],
): string {
  const by = all.find(({ id }) => id === resolvedBy);
  const words = oneLine(resolution ?? '-');
  return by ? `${words} by ${commandOf(by)} (${shortId(by.id)}), ${localTime(by.began)}` : words;
}

/** What came of the last operation that was interrupted. */
export function lastInterrupted(operation: JournalledOperation, all: readonly JournalledOperation[]): string {
  const { began, steps } = operation;
  const after = steps.at(-1);
  return [
    `Last interrupted: ${commandOf(operation)}, ${localTime(began)}${after ? `, at: ${stepWords(after)}` : ''}`,
    `  ${resolvedWords(operation, all)}`,
  ].join('\n');
}

/** A line of the journal as it is followed. */
export function entryWords(entry: JournalEntry, paint: Paint): string {
  const words = () => {
    switch (entry.event) {
      case 'begin':
        return paint.bold(commandOf(entry));
      case 'step':
        return `  ${stepWords(entry)}`;
      case 'end':
        return `  ${oneLine([entry.outcome, entry.because].filter(Boolean).join(': '))}`;
    }
  };
  return `${paint.dim(`${localTime(entry.time)}  ${shortId(entry.operation)}`)}  ${words()}`;
}

export function unreadableWords(count: number): string {
  return count === 1
    ? "a line of the journal can't be read, and is left out"
    : `${count} lines of the journal can't be read, and are left out`;
}

export function last<T>(items: readonly T[], count: number): readonly T[] {
  return count >= items.length ? items : items.slice(items.length - count);
}
