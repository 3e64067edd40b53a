import { AixclError } from '../errors.ts';
import type { Operation } from '../plan/journal.ts';
import { shellWord } from '../shell-word.ts';
import { hashedOnRemovalBytes } from '../vault/save.ts';
import type { Snapshot } from '../vault/snapshot.ts';
import type { VaultWriter, WorkOptions } from '../vault/vault.ts';
import type { Found } from './find-kept.ts';
import type { KeptModel } from './keeper.ts';
import { quoted } from './model-name.ts';
import { type Damage, saveGoing, staysAfterAll } from './save-going.ts';

export interface RemoveOptions extends WorkOptions {
  readonly operation: Operation;
  readonly writer: VaultWriter;
  readonly now: Date;
  /** Of the backup: who removed it. */
  readonly reason: string;
  /** What hashing found wrong with it beforehand; the user agreed to its removal all the same. */
  readonly damage: Damage | null;
  /** True: damage that only saving it shows is no reason to stop, as the user agreed to all questions. */
  readonly evenDamaged: boolean;
  /** Asked right before the name goes, with everything saved; throws when it is to stay after all. */
  readonly mayGo: () => Promise<void>;
}

/**
 * Hashes what nobody hashed yet, before the vault is held, so that the vault can take it over at once; of a model that is known to be damaged,
 * everything. Answers what is wrong with it. Large blobs of Ollama's are left alone: they are held unhashed.
 */
export async function prove({ keeper, model }: Found, options: WorkOptions): Promise<Damage | null> {
  if (model.damage === null) {
    const source = await keeper.open(model);
    const unproven = source.files.filter(({ proven }) => !proven);
    await source[Symbol.asyncDispose]();
    const size = unproven.reduce((sum, file) => sum + file.size, 0);
    // What Ollama calls a blob is what its bytes hashed to when they came.
    const named = keeper.runtime === 'ollama';
    if (unproven.length === 0 || (named && size > hashedOnRemovalBytes)) return null;
  }
  const files = await keeper.verify(model, options);
  if (files.length === 0 && model.damage === null) return null;
  const found = files.map(({ path, why }) => `${path}: ${why}`).join('; ');
  return { why: found || (model.damage ?? ''), files: files.map(({ path }) => path) };
}

/** Saves a model and takes it away. Throws, with the model in its place, when it is not what was seen before. */
export async function removeModel(seen: Found, options: RemoveOptions): Promise<Snapshot> {
  const { operation, writer, now, reason, signal, onProgress } = options;
  const { keeper } = seen;
  const { name } = seen.model.subject;
  const model = await keeper.find(name);
  if (!model || !sameParts(seen.model, model)) throw changed(name);
  await operation.step('save', name, 'it is about to be removed');
  const save = (damage: Damage | null) =>
    saveGoing(
      { keeper, model },
      {
        writer,
        operation: operation.id,
        created: now,
        reason,
        backupType: 'pre_deletion',
        damage,
        signal,
        ...(onProgress && { onProgress }),
      },
    );
  const proof = await save(options.damage).catch((error: unknown) => {
    const isDamage = error instanceof AixclError && error.code === 'verification';
    if (!isDamage || options.damage !== null) throw error;
    if (options.evenDamaged) return save({ why: error.message, files: [] });
    throw new AixclError('verification', `${quoted(name)} is damaged, so it stays: ${error.message}`, {
      hint: `aixcl models verify ${shellWord(name)} --repair, or to remove it as it is: aixcl models remove ${shellWord(name)} --yes`,
      cause: error,
    });
  });
  await operation.step('remove', name, `saved as ${proof.snapshot.id}`);
  try {
    await options.mayGo();
    await keeper.remove(model, proof);
  } catch (error) {
    throw await staysAfterAll({ keeper, model }, writer, signal, error);
  }
  return proof.snapshot;
}

/** The same files, as far as names, sizes and known digests tell. */
export function sameParts(a: KeptModel, b: KeptModel): boolean {
  if (a.files.length !== b.files.length) return false;
  const files = new Map(b.files.map((file) => [file.path, file]));
  return a.files.every(({ path, size, digest }) => {
    const other = files.get(path);
    if (other?.size !== size) return false;
    return digest === null || other.digest === null || digest === other.digest;
  });
}

function changed(name: string): AixclError {
  return new AixclError('refused', `${quoted(name)} changed while the question was open, so it stays`, {
    hint: 'Run the command again.',
  });
}
