import { reasonOf } from '../../../errors.ts';
import type { Operation } from '../../../plan/journal.ts';
import type { Vault, VaultWriter } from '../../../vault/vault.ts';
import type { Context } from '../../context.ts';
import { journalOf } from '../wiring/journal.ts';

export interface Turn {
  readonly operation: Operation;
  readonly writer: VaultWriter;
}

/** Runs `work` as an operation of the journal and the vault's one writer. */
export async function withWriter<T>(
  context: Context,
  vault: Vault,
  {
    command,
    targets,
  }: { readonly command: string; readonly targets: readonly string[]; readonly reads?: boolean },
  work: (turn: Turn) => Promise<T>,
): Promise<T> {
  const operation = await journalOf(context).begin(command, targets);
  try {
    await using writer = await vault.open({
      holder: `aixcl ${command}`,
      operation: operation.id,
      patience: context.flags.waitLock,
      signal: context.signal,
    });
    const answer = await work({ operation, writer });
    await operation.end('done');
    return answer;
  } catch (error) {
    await operation.end(context.signal.aborted ? 'interrupted' : 'failed', reasonOf(error));
    throw error;
  }
}
