import { randomBytes } from 'node:crypto';
import type { Vault, VaultWriter } from '../../../vault/vault.ts';
import type { Context } from '../../context.ts';

/** Takes the vault's lock for a look that changes nothing, and so is no operation of the journal. */
export async function underLock<T>(
  { flags, signal }: Context,
  vault: Vault,
  command: string,
  look: (writer: VaultWriter) => Promise<T>,
): Promise<T> {
  await using writer = await vault.open({
    holder: `aixcl ${command}`,
    operation: `look-${randomBytes(3).toString('hex')}`,
    patience: flags.waitLock,
    signal,
  });
  return await look(writer);
}
