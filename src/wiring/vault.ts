import { VaultDirectory } from '../adapters/vault/vault-directory.ts';
import type { Hands } from '../vault/hands.ts';
import type { Vault } from '../vault/vault.ts';
import type { Surroundings } from './surroundings.ts';

/** The vault of this home. `hands`: a helper with more rights, for files that this user may not link or read. */
export function vaultOf(context: Surroundings, hands?: () => Promise<Hands>): Vault {
  const { vault: path, models: ownerOf } = context.home;
  return new VaultDirectory({ path, ownerOf, hands });
}

/** A second vault, that a `sync` brings up to date. What is written there belongs to the owner of the folder. */
export function secondVaultOf(_context: Surroundings, path: string): Vault {
  return new VaultDirectory({ path, ownerOf: path });
}
