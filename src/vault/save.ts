import prettyBytes from 'pretty-bytes';
import { AixclError, reasonOf } from '../errors.ts';
import type { Evidence } from './evidence.ts';
import type { BackupType, Snapshot, SnapshotDraft } from './snapshot.ts';
import type { Source, SourceFile } from './subject.ts';
import type { Marks, TakenFile, VaultWriter, WorkOptions } from './vault.ts';
import { VerifiedBackup } from './verified-backup.ts';

export interface SaveOptions extends WorkOptions {
  readonly writer: VaultWriter;
  /** Null: a version. */
  readonly backupType: BackupType | null;
  readonly reason: string;
  /** Of the journal. */
  readonly operation: string;
  readonly created: Date;
  /** `link` for a file whose name is about to go; what stays, or is shared with what stays, is copied. */
  readonly way: (file: SourceFile) => 'link' | 'copy';
  /** Added to those of the source. */
  readonly facts?: Readonly<Record<string, unknown>>;
  /**
   * What becomes of a file whose bytes are not what its digest says. `refuse` (the default): nothing is saved. `keep`: they are saved as they
   * are, under the digest that they have, and the snapshot says that it is damaged.
   */
  readonly damaged?: 'refuse' | 'keep';
  /** Why the subject is known to be damaged beforehand: a part that is missing, say. Only with `keep`. */
  readonly knownDamage?: string | null;
  /** A sound snapshot that says all of this already, made by a command that was killed perhaps, is answered in place of a second one. */
  readonly unlessThere?: boolean;
  /** Bytes done, over all files of the source. */
  readonly onProgress?: (done: number) => void;
}

/** Files that are to be linked in and that nobody hashed yet are hashed, unless they are larger than this together. */
export const hashedOnRemovalBytes = 256 * 1024 * 1024;

/** So many files at once: while one waits for the disk, another is hashed. */
const atOnce = 3;

/**
 * The gate: saves all of `source`, and answers the proof without which nothing takes its bytes away. Every file is the same inode in the vault,
 * or its copy there was hashed in this run. Throws `noSpace` before anything is written that can't be finished, `verification` for damage.
 */
export async function save(source: Source, options: SaveOptions): Promise<VerifiedBackup> {
  const { snapshot, evidence } = await take(source, options, true);
  return VerifiedBackup.of(options.writer, snapshot, evidence);
}

/**
 * Saves all of `source` where nothing goes away. Blobs that the vault has are trusted while they are the files that were hashed before, unless
 * `recheck`. No proof.
 */
export async function backUp(
  source: Source,
  options: Omit<SaveOptions, 'way'> & { readonly recheck: boolean },
): Promise<Snapshot> {
  const { snapshot } = await take(source, { ...options, way: () => 'copy' }, options.recheck);
  return snapshot;
}

async function take(
  source: Source,
  options: SaveOptions,
  recheck: boolean,
): Promise<{ snapshot: Snapshot; evidence: readonly Evidence[] }> {
  const { writer, way } = options;
  await assertRoom(source, writer, way);
  const unhashed = sizeOf(source.files.filter((file) => way(file) === 'link' && !file.proven));
  const done = new Map<SourceFile, number>();
  const tell = (file: SourceFile, bytes: number) => {
    done.set(file, bytes);
    options.onProgress?.([...done.values()].reduce((sum, each) => sum + each, 0));
  };
  const takeOne = async (file: SourceFile): Promise<TakenOne> => {
    const taken = await takeWith(file, options, {
      way: way(file),
      recheck,
      unhashed: unhashed > hashedOnRemovalBytes,
      signal: options.signal,
      onProgress: (bytes) => tell(file, bytes),
    });
    tell(file, file.size);
    return taken;
  };
  const taken = await severalAtOnce(source.files, takeOne);
  await source.assertUnchanged();
  const damage = [options.knownDamage, ...taken.map((each) => each.damage)].filter((each) => each != null);
  const marks: Marks = damage.length > 0 ? { verified: null, damage: damage.join('; ') } : {};
  const draft = draftOf(source, options);
  const there = options.unlessThere && damage.length === 0 ? await alikeIn(writer, draft, taken) : undefined;
  const snapshot = there ? await seenAgain(there, taken, writer) : await writer.publish(draft, taken, marks);
  return { snapshot, evidence: taken.map(({ evidence }) => evidence) };
}

/** One of the same subject, words, facts and files. When, and by which command, it was made does not count. */
async function alikeIn(
  { vault }: VaultWriter,
  draft: SnapshotDraft,
  taken: readonly TakenFile[],
): Promise<Snapshot | undefined> {
  const key = (
    { kind, backupType, subject, reason, folders, facts }: SnapshotDraft,
    files: readonly object[],
  ) => JSON.stringify([kind, backupType, subject.runtime, subject.name, reason, folders, facts, files]);
  const wanted = key(
    draft,
    taken.map(({ path, evidence: { digest, size }, executable }) => fileKey(path, digest, size, executable)),
  );
  const { snapshots } = await vault.contents();
  return snapshots.find(
    (each) =>
      each.damage === null &&
      each.undone === null &&
      key(
        each,
        each.files.map(({ path, digest, size, executable }) => fileKey(path, digest, size, executable)),
      ) === wanted,
  );
}

/** Where all of it was hashed just now, that is noted. */
async function seenAgain(
  snapshot: Snapshot,
  taken: readonly TakenFile[],
  writer: VaultWriter,
): Promise<Snapshot> {
  const verified = new Date();
  if (!taken.every(({ evidence: { hashed, hashedAt } }) => hashed && !hashedAt)) return snapshot;
  await writer.note(snapshot.id, { verified });
  return { ...snapshot, verified };
}

function fileKey(path: string, digest: string, size: number, executable: boolean | undefined): object {
  return [path, digest, size, executable === true];
}

interface TakenOne extends TakenFile {
  readonly damage: string | null;
}

async function takeWith(
  file: SourceFile,
  { writer, damaged }: SaveOptions,
  options: Parameters<VaultWriter['takeIn']>[1],
): Promise<TakenOne> {
  const { path, executable } = file;
  const plain = { path, ...(executable ? { executable } : {}) };
  try {
    return { ...plain, evidence: await writer.takeIn(file, options), damage: null };
  } catch (error) {
    const isDamage = error instanceof AixclError && error.code === 'verification' && file.digest !== null;
    if (damaged !== 'keep' || !isDamage) throw error;
    const asItIs = { ...file, digest: null, proven: false };
    const evidence = await writer.takeIn(asItIs, { ...options, unhashed: false });
    return { ...plain, evidence, damage: reasonOf(error) };
  }
}

function draftOf(source: Source, options: SaveOptions): SnapshotDraft {
  const { backupType, reason, operation, created, facts } = options;
  return {
    kind: backupType === null ? 'version' : 'backup',
    backupType,
    subject: source.subject,
    created,
    reason,
    operation,
    folders: source.folders ?? [],
    facts: { ...source.facts, ...facts },
  };
}

/** Counts what may have to be copied, as if no two places could share blocks. */
async function assertRoom(source: Source, writer: VaultWriter, way: SaveOptions['way']): Promise<void> {
  const { vault } = writer;
  const present = await vault.blobs();
  const missing = new Map<string, number>();
  for (const file of source.files) {
    const { digest, size, path, bytes } = file;
    if (digest && present.get(digest)?.size === size) continue;
    const linked = way(file) === 'link' && bytes.kind === 'file' && (await vault.sharesDisk(bytes.path));
    if (!linked) missing.set(digest ?? path, size);
  }
  const needed = [...missing.values()].reduce((sum, size) => sum + size, 0);
  const { free } = await vault.space();
  if (needed <= free) return;
  throw new AixclError(
    'noSpace',
    `${prettyBytes(needed)} are needed on the disk of the vault ${vault.path}, which has ${prettyBytes(free)} free; nothing was changed`,
    { hint: 'aixcl backups cleanup' },
  );
}

function sizeOf(files: readonly SourceFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

/** Answers in the order asked. After a failure nothing new begins, and what runs is waited for. */
async function severalAtOnce<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  let failed = false;
  const worker = async () => {
    for (let index = next++; index < items.length && !failed; index = next++) {
      try {
        results[index] = await work(items[index] as T);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: atOnce }, worker));
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure) throw failure.reason;
  return results;
}
