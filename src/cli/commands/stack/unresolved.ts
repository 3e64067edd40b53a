import { isRunning } from '../../../adapters/process-identity.ts';
import { openOperations, operationsOf, repeats } from '../../../plan/operations.ts';
import { journalOf } from '../../../wiring/journal.ts';
import type { OperationWish } from '../../../wiring/operation.ts';
import type { Context } from '../../context.ts';

/**
 * Ids of the commands that were interrupted of late and that `wish`, done, resolves: such as a start that was interrupted while it waited for
 * health, after which another one has nothing to do. None where the journal can't be read.
 */
export async function unresolvedBy(context: Context, wish: OperationWish): Promise<string[]> {
  try {
    const { entries } = await journalOf(context).readEnd();
    const open = openOperations(entries);
    const running = open.map(async (each) => [each.operation, await isRunning(each)] as const);
    return operationsOf(entries, new Map(await Promise.all(running)))
      .filter(({ outcome, resolvedBy }) => outcome === 'interrupted' && resolvedBy === null)
      .filter((earlier) => repeats({ ...wish, outcome: 'done' }, earlier))
      .map(({ id }) => id);
  } catch {
    return [];
  }
}
