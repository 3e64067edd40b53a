import { chmod, lstat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AixclError, reasonOf, systemCode } from '../../errors.ts';
import type { Digest } from '../../vault/digest.ts';
import type { FileIdentity } from '../../vault/evidence.ts';
import type { VaultWriter, WorkOptions } from '../../vault/vault.ts';
import { syncDirectory } from '../durable.ts';
import { readTree } from '../folders/tree.ts';
import { identityOf, sameInode } from '../vault/file-identity.ts';

export interface PartWork extends WorkOptions {
  /** Called before a file is parted from the vault. */
  step(path: string, because: string): Promise<void>;
  /** Told what stays one file, and why. */
  warn(line: string): void;
}

/**
 * Live files that the vault took over for a removal or a restore that was killed: they still have their names, so that whoever writes into one
 * would write into the vault. They are looked for in `folders` and where folders were saved from. A blob that no snapshot names lets go; else the vault gets bytes of its own. The live file can be written by its owner
 * again. Under the vault's lock.
 */
export async function partLinks(
  folders: readonly string[],
  writer: VaultWriter,
  work: PartWork,
): Promise<void> {
  const shared = await sharedBlobs(writer);
  if (shared.size === 0) return;
  for (const folder of new Set([...folders, ...(await savedFolders(shared, writer))])) {
    for (const { path, identity, mode } of await filesIn(folder)) {
      const digest = shared.get(keyOf(identity));
      if (digest === undefined) continue;
      const live = join(folder, path);
      try {
        await part(live, digest, writer, work);
        if (mode === 0o444) await chmod(live, 0o644);
      } catch (error) {
        if (!(error instanceof AixclError) || !['verification', 'noSpace'].includes(error.code)) throw error;
        work.warn(`${live} and a blob of the vault are one file still: ${reasonOf(error)}`);
      }
    }
  }
}

async function part(live: string, digest: Digest, writer: VaultWriter, work: PartWork): Promise<void> {
  const { vault } = writer;
  const { snapshots, broken } = await vault.contents();
  const blob = vault.blobPath(digest);
  const now = await lstat(live, { bigint: true });
  if (!sameInode(identityOf(now), identityOf(await lstat(blob, { bigint: true })))) return;
  const size = Number(now.size);
  if (broken.length === 0 && !snapshots.some(({ files }) => files.some((file) => file.digest === digest))) {
    await work.step(live, 'no snapshot names it: the vault lets it go');
    await unlink(blob);
    await syncDirectory(dirname(blob));
    return;
  }
  await work.step(live, 'the vault gets bytes of its own');
  const bytes = { kind: 'file', path: live } as const;
  const { signal } = work;
  await writer.takeIn(
    { path: live, size, digest, proven: false, bytes },
    { way: 'copy', recheck: true, signal },
  );
}

async function sharedBlobs({ vault }: VaultWriter): Promise<Map<string, Digest>> {
  const shared = new Map<string, Digest>();
  for (const [digest, state] of await vault.blobs()) {
    if (!state.shared) continue;
    shared.set(keyOf(identityOf(await lstat(vault.blobPath(digest), { bigint: true }))), digest);
  }
  return shared;
}

async function savedFolders(
  shared: ReadonlyMap<string, Digest>,
  { vault }: VaultWriter,
): Promise<readonly string[]> {
  const digests = new Set(shared.values());
  const { snapshots } = await vault.contents();
  return snapshots.flatMap(({ subject, files, facts }) => {
    if (!files.some(({ digest }) => digests.has(digest))) return [];
    if (subject.runtime === 'directory') return [subject.name];
    return subject.runtime === 'volume' && typeof facts.folder === 'string' ? [facts.folder] : [];
  });
}

function keyOf({ device, inode }: FileIdentity): string {
  return `${device} ${inode}`;
}

async function filesIn(folder: string): Promise<Awaited<ReturnType<typeof readTree>>['files']> {
  try {
    return (await readTree(folder)).files.filter(({ names }) => names > 1);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(systemCode(error) ?? '')) return [];
    throw error;
  }
}
