import { ownershipOf } from '../../../adapters/durable.ts';
import { journalAt } from '../../../adapters/journal.ts';
import { systemCode } from '../../../errors.ts';
import type { Journal } from '../../../plan/journal.ts';
import type { Context } from '../../context.ts';

/** The home's journal; its files are those of the models directory's owner. */
export function journalOf({ home }: Context): Journal {
  return journalAt(home.journal, async () => {
    try {
      return await ownershipOf(home.models);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  });
}
