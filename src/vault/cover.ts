import { AixclError } from '../errors.ts';
import type { Evidence } from './evidence.ts';
import type { Snapshot } from './snapshot.ts';
import type { Source, SourceFile } from './subject.ts';
import type { VaultWriter, WorkOptions } from './vault.ts';
import { VerifiedBackup } from './verified-backup.ts';

export interface CoverOptions extends WorkOptions {
  readonly writer: VaultWriter;
  readonly way: (file: SourceFile) => 'link' | 'copy';
}

/**
 * Proof by a snapshot that is there already: of what a killed command saved, and then took away a part of. Every byte of it is hashed once more,
 * or taken over from what stands. Undefined where `source` has anything that the snapshot has not, or the vault lost some of that.
 */
export async function coveredBy(
  source: Source,
  snapshot: Snapshot,
  { writer, way, signal }: CoverOptions,
): Promise<VerifiedBackup | undefined> {
  const saved = new Map(snapshot.files.map((file) => [file.path, file]));
  const standing = new Map(source.files.map((file) => [file.path, file]));
  const evidence: Evidence[] = [];
  for (const file of source.files) {
    const known = saved.get(file.path);
    if (!known || known.size !== file.size) return undefined;
    if (file.proven && file.digest !== known.digest) return undefined;
  }
  try {
    for (const { path, digest, size } of snapshot.files) {
      const file = standing.get(path);
      evidence.push(
        file
          ? await writer.takeIn({ ...file, digest }, { way: way(file), recheck: true, signal })
          : await writer.rehash(digest, size, { signal }),
      );
    }
  } catch (error) {
    if (error instanceof AixclError && error.code === 'verification') return undefined;
    throw error;
  }
  await source.assertUnchanged();
  return VerifiedBackup.of(writer, snapshot, evidence);
}
