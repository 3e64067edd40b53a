import { AixclError } from '../errors.ts';
import type { Digest } from './digest.ts';
import type { Snapshot } from './snapshot.ts';
import type { VaultWriter, WorkOptions } from './vault.ts';

/** Begins what a check says of a snapshot's bytes in the vault. What else is said there was true of the model when it was saved, and stays. */
export const foundInVault = 'in the vault, ';

/** What was wrong with the model when it was saved: no bytes in the vault can mend that. Null: nothing. */
export function damageWhenSaved({ damage }: Pick<Snapshot, 'damage'>): string | null {
  return damage?.startsWith(foundInVault) ? null : damage;
}

/** What was wrong with blobs that were hashed already, so that none is hashed twice; null: right. */
export type HashedBlobs = Map<Digest, string | null>;

/** Re-hashes all of a snapshot in the vault and notes what was found. Answers what is wrong; null when every byte is right. */
export async function checkSnapshot(
  snapshot: Snapshot,
  writer: VaultWriter,
  options: WorkOptions & { readonly now: Date; readonly hashed?: HashedBlobs },
): Promise<string | null> {
  const hashed: HashedBlobs = options.hashed ?? new Map();
  let done = 0;
  const wrong: string[] = [];
  for (const { path, digest, size } of snapshot.files) {
    if (!hashed.has(digest)) {
      const before = done;
      const onProgress = (bytes: number) => options.onProgress?.(before + bytes);
      hashed.set(digest, await problemOf(digest, size, writer, { signal: options.signal, onProgress }));
    }
    const problem = hashed.get(digest);
    if (problem) wrong.push(`${path}: ${problem}`);
    done += size;
    options.onProgress?.(done);
  }
  const own = damageWhenSaved(snapshot);
  if (wrong.length > 0) {
    const damage = own ?? `${foundInVault}${wrong.join('; ')}`;
    await writer.note(snapshot.id, { verified: null, damage });
    return wrong.join('; ');
  }
  if (own === null) await writer.note(snapshot.id, { verified: options.now, damage: null });
  return null;
}

async function problemOf(
  digest: Digest,
  size: number,
  writer: VaultWriter,
  options: WorkOptions,
): Promise<string | null> {
  try {
    await writer.rehash(digest, size, options);
    return null;
  } catch (error) {
    if (error instanceof AixclError && error.code === 'verification') return error.message;
    throw error;
  }
}
