import type { Arguments } from 'yargs';
import { isRunning } from '../../../adapters/process-identity.ts';
import { AixclError } from '../../../errors.ts';
import type { JournalEntry } from '../../../plan/journal.ts';
import { type JournalledOperation, openOperations, operationsOf } from '../../../plan/operations.ts';
import { sinceSeconds } from '../../../since.ts';
import { journalOf } from '../../../wiring/journal.ts';
import type { Context } from '../../context.ts';
import { follow } from './follow.ts';
import { theOperation } from './the-operation.ts';
import { columns, describeOperation, last, lastInterrupted, unreadableWords } from './words.ts';

/** Operations in a table, newest last, where nobody says how many. */
const shownInTable = 20;
const shownLines = 10;

/** `journal`. */
export async function journal(context: Context, argv: Arguments): Promise<void> {
  const id = argv.operation === undefined ? undefined : String(argv.operation);
  const tail = tailOf(argv.tail);
  const since = sinceOf(argv.since);
  if (argv.follow === true) {
    return follow(context, { id, since, tail: tail ?? (id === undefined ? shownLines : Infinity) });
  }
  const { entries, unreadable } = await journalOf(context).read();
  if (unreadable > 0) context.out.warn(unreadableWords(unreadable));
  const all = await assembled(entries);
  if (id !== undefined) {
    const operation = theOperation(all, id);
    return context.out.item('operation', operation, () =>
      describeOperation(operation, all, context.out.paint),
    );
  }
  const recent = all.filter((operation) => Date.parse(lastTime(operation)) >= since);
  const shown = last(recent, tail ?? (context.flags.format === 'json' ? Infinity : shownInTable));
  if (all.length === 0 && context.flags.format === 'table') return context.out.note(emptyWords);
  await context.out.list('operation', shown, columns(context.out.paint));
  if (context.flags.format === 'json') return;
  const earlier = recent.length - shown.length;
  if (earlier > 0) context.out.note(`${earlier} earlier: aixcl journal --tail all`);
  const interrupted = all.findLast(({ outcome }) => outcome === 'interrupted');
  if (interrupted) context.out.line(`\n${lastInterrupted(interrupted, all)}`);
}

const emptyWords = 'Nothing was changed yet: the journal is empty.';

async function assembled(entries: readonly JournalEntry[]): Promise<JournalledOperation[]> {
  const open = openOperations(entries);
  const running = await Promise.all(open.map(async (one) => [one.operation, await isRunning(one)] as const));
  return operationsOf(entries, new Map(running));
}

function lastTime({ began, ended, steps }: JournalledOperation): string {
  return ended ?? steps.at(-1)?.time ?? began;
}

/** `--tail N`, or `all`. */
function tailOf(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (value === 'all') return Infinity;
  const count = Number(value);
  if (Number.isInteger(count) && count >= 0) return count;
  throw new AixclError('usage', `--tail "${value}" is not a number of operations`, {
    hint: '--tail 100, or --tail all',
  });
}

/** Unix milliseconds. */
function sinceOf(value: unknown): number {
  return value === undefined ? -Infinity : sinceSeconds(String(value), Date.now()) * 1000;
}
