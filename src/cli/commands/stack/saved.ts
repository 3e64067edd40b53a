import { AixclError } from '../../../errors.ts';
import { lastBackups } from '../../../models/last-backups.ts';
import type { Context } from '../../context.ts';
import { vaultOnModelsDisk } from '../wiring/disks.ts';
import { keepersOf } from '../wiring/keepers.ts';
import { vaultOf } from '../wiring/vault.ts';

/** What of the models lies in the vault. */
export interface Saved {
  /** ISO 8601 UTC, of the newest good snapshot of any model of Ollama's; null: none. */
  readonly ollama: string | null;
  /** Models of both runtimes that no good snapshot holds. */
  readonly neverBackedUp: readonly string[];
  /** True when one failing disk takes the models and the vault; null while there is no model. */
  readonly vaultSharesDisk: boolean | null;
}

/** From the disk; undefined where models or vault can't be read, which their own commands tell of. */
export async function savedModels(context: Context): Promise<Saved | undefined> {
  try {
    const vault = vaultOf(context);
    const [keepers, { snapshots }] = await Promise.all([keepersOf(context), vault.contents()]);
    const models = (await Promise.all(keepers.map((keeper) => keeper.list()))).flat();
    const last = lastBackups(snapshots);
    const times = snapshots
      .filter(({ subject }) => subject.runtime === 'ollama')
      .flatMap(({ subject }) => last(subject) ?? []);
    const newest = times.sort((a, b) => b.getTime() - a.getTime())[0];
    const never = models.filter(({ subject }) => last(subject) === null);
    return {
      ollama: newest?.toISOString() ?? null,
      neverBackedUp: never.map(({ subject }) => subject.name),
      vaultSharesDisk: models.length > 0 ? await vaultOnModelsDisk(context.home) : null,
    };
  } catch (error) {
    if (error instanceof AixclError) return undefined;
    throw error;
  }
}
