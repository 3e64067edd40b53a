import { constants } from 'node:fs';
import { copyFile, type FileHandle, lstat, open, rename, rm, rmdir, unlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { AixclError, systemCode } from '../../../errors.ts';
import { manifestPath, nameFromPath, type OllamaName } from '../../../models/ollama/name.ts';
import type { BlobSource, StoreWriter } from '../../../models/ollama/store.ts';
import { type Digest, hexOf } from '../../../vault/digest.ts';
import type { WorkOptions } from '../../../vault/vault.ts';
import { give, makeDirectory, type Ownership, ownershipOf, syncDirectory } from '../../durable.ts';
import { hashWhole } from '../../vault/hashing.ts';
import { onStore } from './disk-errors.ts';
import { broken, openBlob } from './held-blobs.ts';
import { blobName, blobPath, blobsFolder, manifestsFolder, stagingFolder } from './layout.ts';
import type { Proofs } from './proofs.ts';
import { nearest, standing } from './writable.ts';

/** Writes Ollama's store in a directory that this process may write. */
export class DirectoryWriter implements StoreWriter {
  readonly #models: string;
  readonly #staging: string;
  readonly #owner: Ownership | undefined;
  readonly #proofs: Proofs;

  private constructor(models: string, staging: string, owner: Ownership | undefined, proofs: Proofs) {
    this.#models = models;
    this.#staging = staging;
    this.#owner = owner;
    this.#proofs = proofs;
  }

  static async open(models: string, operation: string, proofs: Proofs): Promise<DirectoryWriter> {
    return onStore(models, async () => {
      const owner = await ownershipOf(await nearest(models));
      const staging = join(models, stagingFolder, operation);
      // One writes at a time, so whatever lies here was left by a killed command.
      await rm(dirname(staging), { recursive: true, force: true });
      for (const folder of [blobsFolder, manifestsFolder]) await makeDirectory(join(models, folder), owner);
      await makeDirectory(staging, owner);
      return new DirectoryWriter(models, staging, owner, proofs);
    });
  }

  async putBlob(digest: Digest, size: number, bytes: BlobSource, options: WorkOptions): Promise<boolean> {
    return onStore(this.#models, async () => {
      const target = join(this.#models, blobsFolder, blobName(digest));
      // A file with a further name (the vault's, after a removal that was broken off) gives way to one of the store's own.
      if ((await standing(target)) && (await lstat(target)).nlink === 1) {
        await this.#check(target, digest, size, options);
        return false;
      }
      const staged = join(this.#staging, hexOf(digest));
      try {
        await write(staged, bytes, options);
        await this.#land(staged, digest, size, options);
        await rename(staged, target);
      } catch (error) {
        await rm(staged, { force: true });
        throw error;
      }
      await syncDirectory(dirname(target));
      await this.#remember(target, digest, size);
      return true;
    });
  }

  /** Hashes what stands there, makes it durable, and gives it a fresh time, as Ollama removes old blobs that no manifest names yet. */
  async #check(target: string, digest: Digest, size: number, options: WorkOptions): Promise<void> {
    const { handle } = await openBlob(target, blobPath(digest), size);
    try {
      const { digest: found } = await hashWhole(handle, options);
      if (found !== digest) throw broken(blobPath(digest), `holds other bytes: they hash to ${found}`);
      const now = new Date();
      await utimes(target, now, now);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await syncDirectory(dirname(target));
    await this.#remember(target, digest, size);
  }

  async #land(staged: string, digest: Digest, size: number, options: WorkOptions): Promise<void> {
    const handle = await open(staged, constants.O_RDWR | constants.O_NOFOLLOW);
    try {
      await handle.chmod(0o644);
      await give(handle, this.#owner);
      const now = new Date();
      await handle.utimes(now, now);
      await handle.sync();
      const { size: landed } = await handle.stat();
      if (landed !== size) throw wrongBytes(digest, `${landed} of ${size} bytes landed`);
      const { digest: found } = await hashWhole(handle, { signal: options.signal });
      if (found !== digest) throw wrongBytes(digest, `what landed hashes to ${found}`);
    } finally {
      await handle.close();
    }
  }

  /** The rename changed the file's ctime, which the record holds. */
  async #remember(target: string, digest: Digest, size: number): Promise<void> {
    const { handle, identity } = await openBlob(target, blobPath(digest), size);
    try {
      await this.#proofs.remember(digest, handle, target, identity);
    } finally {
      await handle.close();
    }
  }

  async dropBlob(digest: Digest): Promise<void> {
    await onStore(this.#models, () => drop(join(this.#models, blobsFolder, blobName(digest))));
  }

  async putManifest(name: OllamaName, content: Uint8Array): Promise<void> {
    await onStore(this.#models, async () => {
      const target = join(this.#models, manifestsFolder, manifestPath(name));
      const staged = join(this.#staging, 'manifest');
      await rm(staged, { force: true });
      const handle = await open(staged, 'wx', 0o644);
      try {
        await handle.writeFile(content);
        await give(handle, this.#owner);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await makeDirectory(dirname(target), this.#owner);
      await rename(staged, target);
      await syncDirectory(dirname(target));
    });
  }

  async dropManifest(path: string): Promise<void> {
    await onStore(this.#models, async () => {
      const root = join(this.#models, manifestsFolder);
      if (!nameFromPath(path)) throw new Error(`${path} is no manifest's path`);
      await drop(join(root, path));
      for (let folder = dirname(join(root, path)); folder !== root; folder = dirname(folder)) {
        if (!(await removedEmpty(folder))) break;
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(dirname(this.#staging), { recursive: true, force: true });
  }
}

/** Fills the new file `target`: by sharing blocks with a file on the same disk where that can be done, else byte by byte. */
async function write(target: string, bytes: BlobSource, options: WorkOptions): Promise<void> {
  await rm(target, { force: true });
  if (bytes.path !== undefined && (await cloned(bytes.path, target))) return;
  const handle = await open(target, 'wx', 0o644);
  try {
    await pour(await bytes.open(), handle, options);
  } finally {
    await handle.close();
  }
}

async function cloned(source: string, target: string): Promise<boolean> {
  try {
    await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
  } catch {
    await rm(target, { force: true });
    return false;
  }
  // A copy has the permissions of its source; the vault's files are read-only.
  const handle = await open(target, constants.O_RDONLY);
  try {
    await handle.chmod(0o644);
  } finally {
    await handle.close();
  }
  return true;
}

async function pour(source: Readable, target: FileHandle, options: WorkOptions): Promise<void> {
  let done = 0;
  try {
    for await (const chunk of source) {
      options.signal.throwIfAborted();
      const piece = chunk as Buffer;
      let written = 0;
      while (written < piece.length) {
        written += (await target.write(piece, written, piece.length - written, done + written)).bytesWritten;
      }
      done += piece.length;
      options.onProgress?.(done);
    }
  } finally {
    source.destroy();
  }
}

async function drop(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  await syncDirectory(dirname(path));
}

async function removedEmpty(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(systemCode(error) ?? '')) return false;
    throw error;
  }
}

export function wrongBytes(digest: Digest, how: string): AixclError {
  return new AixclError('verification', `${blobPath(digest)} was not restored: ${how}`, {
    hint: 'aixcl vault verify',
  });
}
