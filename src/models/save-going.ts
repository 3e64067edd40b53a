import { AixclError, reasonOf } from '../errors.ts';
import { type SaveOptions, save } from '../vault/save.ts';
import type { BackupType } from '../vault/snapshot.ts';
import type { Source, SourceFile } from '../vault/subject.ts';
import type { VaultWriter } from '../vault/vault.ts';
import type { VerifiedBackup } from '../vault/verified-backup.ts';
import type { Found } from './find-kept.ts';
import type { KeptModel } from './keeper.ts';
import { takenAway } from './plan-restore.ts';

export interface Going
  extends Pick<SaveOptions, 'writer' | 'operation' | 'created' | 'reason' | 'signal' | 'onProgress'> {
  readonly backupType: BackupType;
  /** What hashing found wrong with it; what is known without (`KeptModel.damage`) need not be said. */
  readonly damage?: Damage | null;
  /** Damage that nobody knew of is no reason to stop: it is saved as it is. */
  readonly evenDamaged?: boolean;
}

export interface Damage {
  readonly why: string;
  /** Files whose bytes are not what they should be; they are saved as what they are. */
  readonly files: readonly string[];
}

/**
 * Saves a model whose name is about to go. The vault takes over the files that go with it; what stays under a name of its own is copied. Of a
 * damaged one all that is there is saved as it is, and the snapshot says so: it is no good copy. Throws `verification` for damage that nobody
 * knew of.
 */
export async function saveGoing({ keeper, model }: Found, going: Going): Promise<VerifiedBackup> {
  const damage = going.damage?.why ?? model.damage;
  const wrong = new Set(going.damage?.files);
  // A new manifest over the old one leaves the blobs that the old one named in Ollama's store.
  const leavesFiles = keeper.runtime === 'ollama' && going.backupType !== 'pre_deletion';
  const asItIs = damage !== null || going.evenDamaged === true;
  const source = await keeper.open(model, { partial: asItIs });
  try {
    const files = source.files.map((file) =>
      wrong.has(file.path) ? { ...file, digest: null, proven: false } : file,
    );
    return await save(withFiles(source, files), {
      ...going,
      facts: takenAway,
      way: (file) => (leavesFiles ? 'copy' : wayOf(model, file)),
      damaged: asItIs ? 'keep' : 'refuse',
      knownDamage: damage,
    });
  } finally {
    await source[Symbol.asyncDispose]();
  }
}

/**
 * After all it stays: the vault gets bytes of its own for what it took over. Answers what to throw: `failure`, or, where that could not be done
 * either, both. Where the command was interrupted, the next one does it.
 */
export async function staysAfterAll(
  found: Found,
  writer: VaultWriter,
  signal: AbortSignal,
  failure: unknown,
): Promise<unknown> {
  if (signal.aborted) return failure;
  try {
    await ownCopies(found, writer, signal);
    return failure;
  } catch (error) {
    const known = failure instanceof AixclError ? failure : undefined;
    return new AixclError(
      known?.code ?? 'unexpected',
      `${reasonOf(failure)}; and the vault may share its bytes with the model that stands there, as it got none of its own: ${reasonOf(error)}`,
      { hint: known?.hint ?? 'aixcl vault status', cause: failure },
    );
  }
}

async function ownCopies({ keeper, model }: Found, writer: VaultWriter, signal: AbortSignal): Promise<void> {
  const standing = await keeper.find(model.subject.name);
  if (!standing) return;
  const source = await keeper.open(standing, { partial: true });
  try {
    for (const file of source.files) await writer.takeIn(file, { way: 'copy', recheck: false, signal });
  } finally {
    await source[Symbol.asyncDispose]();
  }
}

function withFiles(source: Source, files: readonly SourceFile[]): Source {
  const { subject, folders = [], facts } = source;
  return {
    subject,
    files,
    folders,
    facts,
    assertUnchanged: () => source.assertUnchanged(),
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  };
}

/** A file that keeps a name elsewhere may be written through it; the vault then needs bytes of its own. */
export function wayOf(model: KeptModel, { path }: Pick<SourceFile, 'path'>): 'link' | 'copy' {
  const file = model.files.find((each) => each.path === path);
  return file && file.sharedWith.length === 0 && file.linkedElsewhere !== true ? 'link' : 'copy';
}
