import { AixclError, reasonOf } from '../errors.ts';
import type { LateOperation, Operation } from '../plan/journal.ts';
import { journalOf } from './journal.ts';
import type { OperationWish, Work } from './operation.ts';
import type { Surroundings } from './surroundings.ts';

export interface Journalled {
  /** Begins with its first step. */
  readonly operation: LateOperation;
  readonly failed: Work['failed'];
}

export interface JournalledWish extends OperationWish {
  /** Where the journal can't be written, on a full disk say, that is told and the work goes on: for what moves containers and no model. */
  readonly evenUnwritten?: boolean;
}

/**
 * Runs `work`, which notes each change in the journal before it makes it, without the vault's lock. Where it notes none, the journal gets no
 * line; else it is told how `work` ended.
 */
export async function journalled<T>(
  context: Surroundings,
  { command, targets, evenUnwritten }: JournalledWish,
  work: (noted: Journalled) => Promise<T>,
): Promise<T> {
  const own = journalOf(context).beginLater(command, targets);
  const operation = evenUnwritten ? forgiving(own, (line) => context.out.warn(line)) : own;
  return toItsEnd(context, operation, (failed) => work({ operation, failed }));
}

/** Runs `work` and tells the journal how it ended: `done` unless `work` says or throws otherwise. */
export async function toItsEnd<T>(
  context: Surroundings,
  operation: Operation,
  work: (failed: Work['failed']) => Promise<T>,
): Promise<T> {
  let end: Parameters<Operation['end']> = ['done'];
  try {
    const answer = await work((outcome, because) => {
      end = [outcome, because];
    });
    await operation.end(...end);
    return answer;
  } catch (error) {
    await operation.end(context.signal.aborted ? 'interrupted' : 'failed', reasonOf(error));
    throw error;
  }
}

/** Tells once that the journal can't be written. */
function forgiving(operation: LateOperation, warn: (line: string) => void): LateOperation {
  let isTold = false;
  const orTell = async (write: () => Promise<void>) => {
    try {
      await write();
    } catch (error) {
      const cause = error instanceof AixclError ? (error.cause ?? error) : error;
      if (!isTold) warn(`this is not noted in the journal, which can't be written: ${reasonOf(cause)}`);
      isTold = true;
    }
  };
  return {
    id: operation.id,
    get began() {
      return operation.began;
    },
    step: (...step) => orTell(() => operation.step(...step)),
    end: (...end) => orTell(() => operation.end(...end)),
  };
}
