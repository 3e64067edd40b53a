import type { Vault } from '../vault/vault.ts';
import type { Found } from './find-kept.ts';
import type { ObservedFile, ObservedRemoval } from './plan-remove.ts';
import { wayOf } from './save-going.ts';

/** What a removal of `found` would mean: which bytes go, which stay, and how the vault gets them. Nothing is hashed. */
export async function observeRemoval(
  found: Found,
  vault: Vault,
  rest: Pick<ObservedRemoval, 'active' | 'stopped' | 'source'>,
): Promise<ObservedRemoval> {
  const { keeper, model } = found;
  const { subject, damage, held } = model;
  const blobs = await vault.blobs();
  const source = await keeper.open(model, { partial: damage !== null || held !== null });
  try {
    const files: ObservedFile[] = [];
    for (const file of source.files) {
      const own = wayOf(model, file);
      const linked =
        own === 'link' && file.bytes.kind === 'file' && (await vault.sharesDisk(file.bytes.path));
      files.push({
        path: file.path,
        size: file.size,
        sharedWith: model.files.find(({ path }) => path === file.path)?.sharedWith ?? [],
        way: linked ? 'link' : 'copy',
        inVault: file.digest !== null && blobs.get(file.digest)?.size === file.size,
        proven: file.proven,
      });
    }
    return { subject, files, damage, held, ...rest };
  } finally {
    await source[Symbol.asyncDispose]();
  }
}
