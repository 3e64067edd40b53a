import { availableParallelism } from 'node:os';
import { AixclError, reasonOf } from '../../../errors.ts';
import type { Digest } from '../../../vault/digest.ts';
import type { VaultWriter } from '../../../vault/vault.ts';
import type { Context } from '../../context.ts';

export interface BlobToHash {
  readonly digest: Digest;
  readonly size: number;
}

/** Re-hashes blobs, several at once, under one line of progress; answers what is wrong with each that is. */
export async function hashBlobs(
  context: Context,
  writer: VaultWriter,
  blobs: readonly BlobToHash[],
): Promise<ReadonlyMap<Digest, string>> {
  const wrong = new Map<Digest, string>();
  const total = blobs.reduce((sum, { size }) => sum + size, 0);
  const task = context.progress.start(`hashing ${blobs.length} blobs`, total);
  const done = new Map<Digest, number>();
  const hash = async ({ digest, size }: BlobToHash) => {
    const tell = (bytes: number) => {
      done.set(digest, bytes);
      task.update({ done: [...done.values()].reduce((sum, each) => sum + each, 0) });
    };
    try {
      await writer.rehash(digest, size, { signal: context.signal, onProgress: tell });
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof AixclError) || error.code !== 'verification') throw error;
      wrong.set(digest, reasonOf(error));
    }
    tell(size);
  };
  try {
    const left = [...blobs];
    const worker = async () => {
      for (let next = left.shift(); next; next = left.shift()) await hash(next);
    };
    await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, worker));
  } catch (error) {
    task.fail();
    throw error;
  }
  if (wrong.size > 0) task.fail();
  else task.succeed();
  return wrong;
}
