import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { AixclError, systemCode } from '../../errors.ts';
import { fileSource } from '../../models/gguf/byte-source.ts';
import { tensorsIn } from '../../models/tensors.ts';
import {
  changed,
  compareTensors,
  type Pair,
  pairFiles,
  type TensorChange,
  type TensorOf,
} from '../../models/version-diff.ts';
import type { Snapshot, SnapshotFile } from '../../vault/snapshot.ts';
import type { Vault, WorkOptions } from '../../vault/vault.ts';
import { modelFiles } from '../../vault/version-files.ts';

export interface TensorDiff {
  readonly changes: readonly TensorChange[];
  /** Tensors whose values were read, or whose files are one, and that are the same. */
  readonly same: number;
  /** Files with tensors that can't be read: why. */
  readonly problems: readonly string[];
}

/** Reads at most so much of each side at a time. */
const chunkBytes = 4 * 2 ** 20;

/** Compares the weights of two versions, tensor by tensor, as they lie in the vault. Reads of each pair up to its first difference. */
export async function diffTensors(
  a: Snapshot,
  b: Snapshot,
  vault: Pick<Vault, 'blobPath'>,
  options: WorkOptions,
): Promise<TensorDiff> {
  const changes: TensorChange[] = [];
  const problems: string[] = [];
  let same = await sharedTensors(a, b, vault, problems);
  let done = 0;
  for (const pair of pairFiles(modelFiles(a), modelFiles(b))) {
    const [left, right] = [
      await tensorsOf(pair.a, a.id, vault, problems),
      await tensorsOf(pair.b, b.id, vault, problems),
    ];
    const compared = compareTensors(left, right);
    changes.push(...compared.changes);
    for (const [one, other] of compared.undecided) {
      if (await sameValues(one, other, vault, options.signal)) same += 1;
      else changes.push(changed(one, other, 'values'));
      options.onProgress?.(done + (other.bytes ?? 0));
      done += other.bytes ?? 0;
    }
  }
  return { changes, same, problems };
}

/** Bytes that `diffTensors` may have to read of `b`. */
export function bytesToCompare(a: Snapshot, b: Snapshot): number {
  return pairFiles(modelFiles(a), modelFiles(b))
    .flatMap((pair: Pair) => pair.b)
    .reduce((sum, { size }) => sum + size, 0);
}

/** Tensors of files that both have. */
async function sharedTensors(
  a: Snapshot,
  b: Snapshot,
  vault: Pick<Vault, 'blobPath'>,
  problems: string[],
): Promise<number> {
  const digests = new Set(modelFiles(a).map(({ digest }) => digest));
  const shared = modelFiles(b).filter(({ digest }) => digests.has(digest));
  return (await tensorsOf(shared, b.id, vault, problems)).length;
}

async function tensorsOf(
  files: readonly SnapshotFile[],
  id: string,
  vault: Pick<Vault, 'blobPath'>,
  problems: string[],
): Promise<TensorOf[]> {
  const all: TensorOf[] = [];
  for (const file of files) {
    const found = await withBlob(file, vault, async (handle) =>
      tensorsIn(file.path, await fileSource(handle)),
    );
    if (typeof found === 'string') problems.push(`${file.path} of ${id}: ${found}`);
    else for (const tensor of found ?? []) all.push({ ...tensor, file });
  }
  return all;
}

async function sameValues(
  a: TensorOf,
  b: TensorOf,
  vault: Pick<Vault, 'blobPath'>,
  signal: AbortSignal,
): Promise<boolean> {
  // Of a type that came after our table nobody knows where it ends.
  if (a.bytes === null || b.bytes === null || a.bytes !== b.bytes) return false;
  const length = a.bytes;
  return await withBlob(a.file, vault, (one) =>
    withBlob(b.file, vault, async (other) => {
      const size = Math.min(chunkBytes, length);
      const [left, right] = [Buffer.allocUnsafe(size), Buffer.allocUnsafe(size)];
      for (let at = 0; at < length; at += chunkBytes) {
        signal.throwIfAborted();
        const wanted = Math.min(chunkBytes, length - at);
        await Promise.all([
          readAll(one, left, wanted, a.from + at),
          readAll(other, right, wanted, b.from + at),
        ]);
        if (left.compare(right, 0, wanted, 0, wanted) !== 0) return false;
      }
      return true;
    }),
  );
}

async function readAll(handle: FileHandle, into: Buffer, length: number, position: number): Promise<void> {
  for (let got = 0; got < length; ) {
    const { bytesRead } = await handle.read(into, got, length - got, position + got);
    if (bytesRead === 0)
      throw new AixclError('verification', 'a blob of the vault became shorter', {
        hint: 'aixcl vault verify',
      });
    got += bytesRead;
  }
}

async function withBlob<T>(
  { digest, path }: SnapshotFile,
  vault: Pick<Vault, 'blobPath'>,
  work: (handle: FileHandle) => Promise<T>,
): Promise<T> {
  const handle = await open(vault.blobPath(digest), constants.O_RDONLY | constants.O_NOFOLLOW).catch(
    (error: unknown) => {
      if (systemCode(error) !== 'ENOENT') throw error;
      throw new AixclError('verification', `the vault's blob of ${path} is missing`, {
        hint: 'aixcl vault verify --repair',
      });
    },
  );
  try {
    return await work(handle);
  } finally {
    await handle.close();
  }
}
