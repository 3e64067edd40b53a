import type { Digest } from '../../../vault/digest.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import type { Bytes } from '../../../vault/subject.ts';
import type { SnapshotRecord, TakenFile, VaultWriter } from '../../../vault/vault.ts';
import type { Context } from '../../context.ts';

/** A snapshot of another vault, or of an archive, with a way to its bytes. */
export interface ForeignSnapshot
  extends Pick<Snapshot, 'id' | 'digest' | 'subject' | 'created' | 'files' | 'size'> {
  readonly record: SnapshotRecord;
  /** Wished for, where it was never used. */
  readonly number?: number;
  bytesOf(digest: Digest, size: number): Bytes;
}

/** Takes its files in, each hashed where it landed, then publishes its record as it is. */
export async function publishForeign(
  context: Context,
  writer: VaultWriter,
  { id, subject, files, size, record, number, bytesOf }: ForeignSnapshot,
  { recheck }: { readonly recheck: boolean },
): Promise<Snapshot> {
  const task = context.progress.start(`${id} (${subject.name})`, size);
  try {
    const taken: TakenFile[] = [];
    let before = 0;
    for (const file of files) {
      const { digest, path } = file;
      const evidence = await writer.takeIn(
        { path, size: file.size, digest, proven: false, bytes: bytesOf(digest, file.size) },
        {
          way: 'copy',
          recheck,
          signal: context.signal,
          onProgress: (done) => task.update({ done: before + done }),
        },
      );
      before += file.size;
      taken.push({ path, evidence, ...(file.executable && { executable: true }) });
    }
    const snapshot = await writer.adopt(record, taken, number);
    task.succeed();
    return snapshot;
  } catch (error) {
    task.fail();
    throw error;
  }
}
