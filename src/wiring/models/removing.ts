import { modelsDirectoryAt } from '../../adapters/models-directory/directory.ts';
import { AixclError } from '../../errors.ts';
import { standingOf } from '../../models/active-model.ts';
import type { Found } from '../../models/find-kept.ts';
import { quoted } from '../../models/model-name.ts';
import { type RemoveStep, servedRefusal } from '../../models/plan-remove.ts';
import { prove, removeModel } from '../../models/remove.ts';
import type { Damage } from '../../models/save-going.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { Work } from '../operation.ts';
import type { Surroundings } from '../surroundings.ts';
import { working } from '../working.ts';

/** A model that is to be removed, as it was seen. */
export interface Removing {
  readonly step: RemoveStep & { readonly kind: 'remove' };
  readonly found: Found;
}

/** Hashes what nobody hashed yet, before the vault is held; answers what is wrong with it. */
export async function proveRemoving(
  context: Surroundings,
  { found, step }: Removing,
): Promise<Damage | null> {
  const label = `Checking ${quoted(step.subject.name)}`;
  return await working(context, label, step.takes.hashed, (options) => prove(found, options));
}

/** Saves it and takes it away, under the vault's lock. `how.command`: as the backup's reason names it. */
export async function removeSaved(
  context: Surroundings,
  { found, step }: Removing,
  { operation, writer }: Work,
  how: {
    readonly command: string;
    readonly damage: Damage | null;
    readonly evenDamaged: boolean;
    /** Also a model that llama-server serves. */
    readonly force: boolean;
  },
): Promise<Snapshot> {
  const { command, damage, evenDamaged, force } = how;
  const { runtime, name } = step.subject;
  const mayGo = async () => {
    if (runtime !== 'llama-server' || force) return;
    // Saving takes a while, in which it may have been activated.
    const activation = await modelsDirectoryAt(context.home.models).activation();
    if (standingOf(name, activation) !== null)
      throw staysRefused({ subject: step.subject, ...servedRefusal(name) });
  };
  const reason = `removed by aixcl ${command}`;
  return await working(context, `Removing ${quoted(step.subject.name)}`, step.size, (options) =>
    removeModel(found, {
      ...options,
      operation,
      writer,
      now: new Date(),
      reason,
      damage,
      evenDamaged,
      mayGo,
    }),
  );
}

/** The error of a model that stays. */
export function staysRefused(
  step: Pick<RemoveStep & { readonly kind: 'refuse' }, 'subject' | 'code' | 'because' | 'hint'>,
): AixclError {
  return new AixclError(step.code, `${quoted(step.subject.name)} stays: ${step.because}`, {
    hint: step.hint,
  });
}
