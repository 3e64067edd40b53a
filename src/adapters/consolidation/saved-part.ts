import { lstat } from 'node:fs/promises';
import { AixclError, systemCode } from '../../errors.ts';
import type { Digest } from '../../vault/digest.ts';
import type { FileIdentity } from '../../vault/evidence.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { Source } from '../../vault/subject.ts';
import { identityOf, unchanged } from '../vault/file-identity.ts';
import { hashFile } from '../vault/hashing.ts';

/** Files that a merge reads, beside the backup that holds them. */
export interface SavedPart {
  readonly backup: Snapshot;
  /**
   * Whether they still are what the backup holds. A file whose ctime alone moved is hashed: whoever writes to one can put its other times back,
   * and not that.
   */
  isAsSaved(signal: AbortSignal): Promise<boolean>;
}

interface Seen {
  readonly path: string;
  readonly digest: Digest | undefined;
  readonly identity: FileIdentity;
}

/** To be called before anything else may write to what `source` reads; `backup`: made of it. */
export async function savedPart(source: Source, backup: Snapshot): Promise<SavedPart> {
  const digests = new Map(backup.files.map(({ path, digest }) => [path, digest]));
  const seen: Seen[] = [];
  for (const { path, bytes } of source.files) {
    if (bytes.kind !== 'file') continue;
    seen.push({ path: bytes.path, digest: digests.get(path), identity: await identityAt(bytes.path) });
  }
  return {
    backup,
    async isAsSaved(signal) {
      try {
        await source.assertUnchanged();
        for (const each of seen) if (!(await holds(each, signal))) return false;
        return true;
      } catch (error) {
        if (isChange(error)) return false;
        throw error;
      }
    },
  };
}

async function holds({ path, digest, identity }: Seen, signal: AbortSignal): Promise<boolean> {
  if (unchanged(identity, await identityAt(path))) return true;
  return (await hashFile(path, { signal })).digest === digest;
}

async function identityAt(path: string): Promise<FileIdentity> {
  return identityOf(await lstat(path, { bigint: true }));
}

/** Gone, or another, rather than not to be looked at. */
function isChange(error: unknown): boolean {
  if (error instanceof AixclError) return ['refused', 'notFound', 'verification'].includes(error.code);
  return ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemCode(error) ?? '');
}
