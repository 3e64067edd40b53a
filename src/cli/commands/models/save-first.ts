import { AixclError, reasonOf } from '../../../errors.ts';
import type { Keeper, KeptModel } from '../../../models/keeper.ts';
import { quoted } from '../../../models/model-name.ts';
import { wayOf } from '../../../models/save-going.ts';
import type { Operation } from '../../../plan/journal.ts';
import { save } from '../../../vault/save.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import type { Source } from '../../../vault/subject.ts';
import type { VaultWriter } from '../../../vault/vault.ts';
import type { VerifiedBackup } from '../../../vault/verified-backup.ts';
import type { Context } from '../../context.ts';
import { vaultWithHands } from '../wiring/operation.ts';

/** Runs `work` with the vault's lock, once what a killed command left of `keeper`'s models is finished or taken back. */
export async function withVault<T>(
  context: Context,
  { operation, command, keeper }: { operation: Operation; command: string; keeper: Keeper },
  work: (writer: VaultWriter) => Promise<T>,
): Promise<T> {
  const { signal, flags } = context;
  const writer = await vaultWithHands(context).open({
    holder: `aixcl ${command}`,
    operation: operation.id,
    patience: flags.waitLock,
    signal,
  });
  try {
    await keeper.recover?.(writer, { signal });
    return await work(writer);
  } finally {
    await writer[Symbol.asyncDispose]();
  }
}

interface SaveWish {
  readonly keeper: Keeper;
  readonly model: KeptModel;
  readonly operation: Operation;
  readonly reason: string;
  /** `link`: what is saved loses its name right after. */
  readonly way: 'link' | 'copy';
}

/** Saves `model` as `pre_update` as it stands, damaged or not, then does `work` with the proof. Under the lock of `writer`. */
export async function saveBeforeUpdate(
  context: Context,
  writer: VaultWriter,
  { keeper, model, operation, reason, way }: SaveWish,
  work: (proof: VerifiedBackup) => Promise<void>,
): Promise<Snapshot> {
  const { signal } = context;
  const { name } = model.subject;
  await operation.step('save', name, reason);
  const source = await keeper.open(model, { partial: true });
  try {
    const task = context.progress.start(`Saving ${quoted(name)}`, model.size);
    let proof: VerifiedBackup;
    try {
      proof = await save(source, {
        writer,
        backupType: 'pre_update',
        reason,
        operation: operation.id,
        created: new Date(),
        way: (file) => (way === 'link' ? wayOf(model, file) : 'copy'),
        damaged: 'keep',
        knownDamage: model.damage,
        signal,
        onProgress: (done) => task.update({ done }),
      });
      task.succeed();
    } catch (error) {
      task.fail();
      throw error;
    }
    try {
      await work(proof);
    } catch (error) {
      if (way === 'link') await takeOwnCopies(source, writer, signal, error);
      throw error;
    }
    return proof.snapshot;
  } finally {
    await source[Symbol.asyncDispose]();
  }
}

/** Replaces the GGUF model `name`, once it is saved. */
export async function replaceSaved(
  context: Context,
  operation: Operation,
  keeper: Keeper,
  name: string,
  swap: (proof: VerifiedBackup) => Promise<void>,
): Promise<Snapshot> {
  return await withVault(context, { operation, command: 'models add', keeper }, async (writer) => {
    const model = await keeper.find(name);
    if (!model) throw notAModel(name);
    if (model.held) {
      throw new AixclError('refused', `${quoted(name)} stays as it is: ${model.held}`, { hint: asName });
    }
    const wish = { keeper, model, operation, reason: 'replaced by models add', way: 'link' } as const;
    return await saveBeforeUpdate(context, writer, wish, swap);
  });
}

const asName = 'Give the new one a name of its own: --as NAME';

function notAModel(name: string): AixclError {
  return new AixclError('refused', `What stands under ${quoted(name)} is no model, and stays as it is`, {
    hint: asName,
  });
}

/** What was linked in keeps its other name after all: the vault gets bytes of its own. */
async function takeOwnCopies(
  source: Source,
  writer: VaultWriter,
  signal: AbortSignal,
  failure: unknown,
): Promise<void> {
  try {
    for (const file of source.files) await writer.takeIn(file, { way: 'copy', recheck: false, signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new AixclError(
      'unexpected',
      `${reasonOf(failure)}; and the vault could not get bytes of its own (${reasonOf(error)}), so that it shares those of the model`,
      { hint: 'aixcl vault verify', cause: failure },
    );
  }
}
