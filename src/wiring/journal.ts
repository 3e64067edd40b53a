import { ownershipOf } from '../adapters/durable.ts';
import { ownerOf } from '../adapters/home-folder.ts';
import { journalAt } from '../adapters/journal.ts';
import { systemCode } from '../errors.ts';
import type { Journal } from '../plan/journal.ts';
import type { Surroundings } from './surroundings.ts';

/** The home's journal; its files are those of the models directory's owner, also before that directory is made. */
export function journalOf({ home }: Surroundings): Journal {
  return journalAt(home.journal, async () => {
    try {
      return await ownershipOf(home.models);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
      return process.getuid?.() === 0 ? await ownerOf(home.models) : undefined;
    }
  });
}
