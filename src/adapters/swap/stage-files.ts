import { chmod, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AixclError } from '../../errors.ts';
import { quoted } from '../../models/model-name.ts';
import type { Snapshot, SnapshotFile } from '../../vault/snapshot.ts';
import type { Vault, WorkOptions } from '../../vault/vault.ts';
import { give, makeDirectory, type Ownership, syncDirectory } from '../durable.ts';
import type { Attributes, AttributesByPath } from '../folders/attributes.ts';
import { copyInto } from '../models-directory/copy.ts';
import { hashWhole } from '../vault/hashing.ts';

/**
 * Copies (or reflinks) the files of a snapshot into the new folder `root`, each fsynced and hashed after it landed. Throws `verification`
 * when the vault's bytes are not what the snapshot says. `onProgress`: bytes, of twice the snapshot's size: copied, then hashed.
 */
export async function stageFiles(
  { files, folders }: Pick<Snapshot, 'files' | 'folders'>,
  root: string,
  vault: Vault,
  owner: Ownership | undefined,
  options: WorkOptions & { readonly attributes?: AttributesByPath },
): Promise<void> {
  await makeDirectory(root, owner);
  for (const folder of folders) await makeDirectory(join(root, folder), owner);
  let done = 0;
  for (const file of files) {
    const before = done;
    await stageFile(file, join(root, file.path), vault, owner, {
      signal: options.signal,
      onProgress: (now) => options.onProgress?.(before + now),
      attributes: options.attributes?.get(file.path),
    });
    done = before + 2 * file.size;
    options.onProgress?.(done);
  }
  const parents = new Set([root, ...files.map(({ path }) => dirname(join(root, path)))]);
  for (const parent of parents) await syncDirectory(parent);
}

/** As `stageFiles`, for one file. Without attributes everybody may read it, and its modification time is now. */
export async function stageFile(
  { path, digest, size, executable }: SnapshotFile,
  target: string,
  vault: Pick<Vault, 'blobPath'>,
  owner: Ownership | undefined,
  options: WorkOptions & { readonly attributes?: Attributes | undefined },
): Promise<void> {
  await makeDirectory(dirname(target), owner);
  await copyInto(vault.blobPath(digest), target, options);
  // Blobs are read-only.
  await chmod(target, 0o600);
  await using handle = await open(target, 'r+');
  await give(handle, options.attributes?.owner ?? owner);
  const { mode = executable ? 0o755 : 0o644, mtime = Date.now() } = options.attributes ?? {};
  await handle.utimes(new Date(), mtime / 1000);
  await handle.chmod(mode);
  await handle.sync();
  const landed = await hashWhole(handle, {
    signal: options.signal,
    onProgress: (done) => options.onProgress?.(size + done),
  });
  if (landed.digest === digest && landed.identity.size === size) return;
  throw new AixclError(
    'verification',
    `the vault's copy of ${quoted(path)} is damaged: it hashes to ${landed.digest}`,
    {
      hint: 'aixcl vault verify',
    },
  );
}
