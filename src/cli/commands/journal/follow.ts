import { followJournal } from '../../../adapters/journal-tail.ts';
import type { JournalEntry } from '../../../plan/journal.ts';
import type { Context } from '../../context.ts';
import { theOperation } from './the-operation.ts';
import { entryWords, last, unreadableWords } from './words.ts';

export interface FollowWish {
  /** Only this operation, until it ends. */
  readonly id: string | undefined;
  /** Unix milliseconds: lines before it are passed over. */
  readonly since: number;
  /** Lines of those that stand there. */
  readonly tail: number;
}

/** The last lines, then each that comes, until Ctrl-C, which `main` ends as it does a log that is followed. */
export async function follow({ home, out, flags, signal }: Context, wish: FollowWish): Promise<void> {
  const show = (entry: JournalEntry) =>
    out.line(
      flags.format === 'json' ? JSON.stringify({ type: 'entry', ...entry }) : entryWords(entry, out.paint),
    );
  let operation: string | undefined;
  let isFirst = true;
  for await (const { entries, unreadable } of followJournal(home.journal, signal)) {
    if (unreadable > 0) out.warn(unreadableWords(unreadable));
    if (isFirst && wish.id !== undefined) {
      const ids = [...new Set(entries.map((entry) => entry.operation))];
      operation = theOperation(
        ids.map((id) => ({ id })),
        wish.id,
      ).id;
    }
    const own = entries.filter(
      (entry) =>
        (operation === undefined || entry.operation === operation) && Date.parse(entry.time) >= wish.since,
    );
    for (const entry of isFirst ? last(own, wish.tail) : own) show(entry);
    if (operation !== undefined && own.some(({ event }) => event === 'end')) return;
    isFirst = false;
  }
}
