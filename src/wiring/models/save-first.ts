import { AixclError } from '../../errors.ts';
import type { Keeper, KeptModel } from '../../models/keeper.ts';
import { quoted } from '../../models/model-name.ts';
import { saveGoing, staysAfterAll } from '../../models/save-going.ts';
import type { Operation } from '../../plan/journal.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { VaultWriter } from '../../vault/vault.ts';
import type { VerifiedBackup } from '../../vault/verified-backup.ts';
import { holdingVault } from '../operation.ts';
import type { Surroundings } from '../surroundings.ts';
import { working } from '../working.ts';

interface SaveWish {
  readonly keeper: Keeper;
  readonly model: KeptModel;
  readonly operation: Operation;
  readonly reason: string;
}

/** Saves `model` as `pre_update` as it stands, damaged or not, then does `work` with the proof. Under the lock of `writer`. */
export async function saveBeforeUpdate(
  context: Surroundings,
  writer: VaultWriter,
  { keeper, model, operation, reason }: SaveWish,
  work: (proof: VerifiedBackup) => Promise<void>,
): Promise<Snapshot> {
  const { name } = model.subject;
  await operation.step('save', name, reason);
  const proof = await working(context, `Saving ${quoted(name)}`, model.size, (options) =>
    saveGoing(
      { keeper, model },
      {
        ...options,
        writer,
        backupType: 'pre_update',
        reason,
        operation: operation.id,
        created: new Date(),
        evenDamaged: true,
      },
    ),
  );
  try {
    await work(proof);
  } catch (error) {
    throw await staysAfterAll({ keeper, model }, writer, context.signal, error);
  }
  return proof.snapshot;
}

/** Whose work a replacement is. */
interface Replacing {
  /** As the journal has it: `models add`. */
  readonly command: string;
  /** How its user gives the new model a name of its own. */
  readonly otherName: string;
}

/** Replaces the GGUF model `name`, once it is saved. Null: there is none any more, and nothing was done. */
export async function replaceSaved(
  context: Surroundings,
  { command, otherName }: Replacing,
  operation: Operation,
  keeper: Keeper,
  name: string,
  swap: (proof: VerifiedBackup) => Promise<void>,
): Promise<Snapshot | null> {
  return await holdingVault(context, command, operation, async (writer) => {
    const model = await keeper.find(name);
    if (!model) return null;
    if (model.held) {
      throw new AixclError('refused', `${quoted(name)} stays as it is: ${model.held}`, { hint: otherName });
    }
    const wish = { keeper, model, operation, reason: `replaced by ${command}` };
    return await saveBeforeUpdate(context, writer, wish, swap);
  });
}
