import { AixclError } from '../errors.ts';
import type { BrokenRecord } from '../vault/snapshot.ts';
import type { Vault, VaultContents } from '../vault/vault.ts';

/** What a vault holds. Throws `verification` when its index can't be read, as then nobody knows what it holds. */
export async function readableContents(vault: Vault): Promise<VaultContents> {
  const contents = await vault.contents();
  const index = contents.broken.find(isIndex);
  if (index) throw recordsUnreadable(vault, [index]);
  return contents;
}

function isIndex({ name }: BrokenRecord): boolean {
  return name === 'index.json';
}

export function recordsUnreadable({ path }: Vault, broken: readonly BrokenRecord[]): AixclError {
  const named = broken.map(({ name, why }) => `${name} (${why})`).join(', ');
  const what = broken.some(isIndex) ? ', so nobody can tell what it holds' : '; the others can';
  return new AixclError('verification', `of the vault ${path} can't be read: ${named}${what}`, {
    hint: "aixcl vault verify; docs/recovery.md says how a record comes back: the models' bytes are still in the vault",
  });
}
