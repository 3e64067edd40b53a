import {
  chmod,
  lchown,
  lstat,
  lutimes,
  mkdir,
  open,
  readdir,
  readlink,
  rm,
  rmdir,
  statfs,
  symlink,
  unlink,
} from 'node:fs/promises';
import { join } from 'node:path';
import prettyBytes from 'pretty-bytes';
import { AixclError, systemCode } from '../../errors.ts';
import { shellWord } from '../../shell-word.ts';
import { syncDirectory } from '../durable.ts';
import { settleFolders } from '../folders/attributes.ts';
import type { FolderTree } from '../folders/tree.ts';
import { publishFile } from '../models-directory/publish.ts';
import { stageFile } from '../swap/stage-files.ts';
import { identityOf, sameContent } from '../vault/file-identity.ts';
import { isStaging, parentOf, stagingName } from './covered-tree.ts';
import type { SavedAttributes, SavedTree } from './saved-tree.ts';
import { deepestFirst, type Filling, notAsSeen, takenFirst, type VolumeWriter } from './volume-writer.ts';

/** Changes a volume that is a name for a folder which this process may do everything with. */
export class FolderWriter implements VolumeWriter {
  readonly #volume: string;
  readonly #folder: string;

  constructor(volume: string, folder: string) {
    this.#volume = volume;
    this.#folder = folder;
  }

  async takeAway({ files, links, folders }: FolderTree): Promise<void> {
    await this.#clearStaging();
    const touched = new Set<string>();
    for (const { path, identity } of takenFirst(files)) {
      const there = await lstat(this.#at(path), { bigint: true }).catch(absent);
      if (!there?.isFile() || !sameContent(identityOf(there), identity)) throw notAsSeen(this.#volume, path);
      await unlink(this.#at(path));
      touched.add(parentOf(path));
    }
    for (const { path, target } of links) {
      const leads = await readlink(this.#at(path)).catch(absent);
      if (leads !== target) throw notAsSeen(this.#volume, path);
      await unlink(this.#at(path));
      touched.add(parentOf(path));
    }
    for (const { path } of deepestFirst(folders)) {
      if (path === '') continue;
      const gone = await rmdir(this.#at(path)).then(() => true, notEmpty);
      if (gone) touched.add(parentOf(path));
    }
    for (const path of touched) await syncDirectory(this.#at(path)).catch(absent);
  }

  async fill(filling: Filling): Promise<void> {
    const { tree, files, links, operation, signal } = filling;
    await this.#clearStaging();
    await this.#assertRoom(files.reduce((sum, { size }) => sum + size, 0));
    const staging = join(this.#folder, stagingName(operation));
    try {
      await mkdir(staging, { mode: 0o700 });
      await this.#stage(filling, staging);
    } catch (error) {
      await this.#clearStaging();
      throw error;
    }
    for (const folder of tree.folders) await this.#makeFolder(folder);
    for (const [index, { path }] of files.entries()) {
      signal.throwIfAborted();
      if (!(await publishFile(join(staging, String(index)), this.#at(path))))
        throw notAsSeen(this.#volume, path);
    }
    for (const { path, target } of links) {
      await symlink(target, this.#at(path)).catch((error: unknown) => {
        throw systemCode(error) === 'EEXIST' ? notAsSeen(this.#volume, path) : error;
      });
      await this.#settleLink(path, tree.attributes.get(path));
    }
    await rm(staging, { recursive: true });
    await settleFolders(this.#folder, tree.folders, tree.attributes, await this.#rootMode(tree));
    await syncDirectory(this.#folder);
  }

  async settle(wishes: ReadonlyMap<string, SavedAttributes>): Promise<void> {
    for (const [path, wish] of wishes) {
      const { mode, mtime, owner } = wish;
      const there = await lstat(this.#at(path)).catch(absent);
      if (there?.isSymbolicLink()) await this.#settleLink(path, wish);
      if (!there?.isFile()) continue;
      if (there.uid !== owner.uid || there.gid !== owner.gid)
        await lchown(this.#at(path), owner.uid, owner.gid);
      if (((there.mode ^ mode) & 0o7777) !== 0) await chmod(this.#at(path), mode);
      if (Math.abs(there.mtimeMs - mtime) >= 1) await lutimes(this.#at(path), new Date(), mtime / 1000);
      await using handle = await open(this.#at(path));
      await handle.sync();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** Under numbers, each hashed after it landed. */
  async #stage({ tree, files, vault, signal, onProgress }: Filling, staging: string): Promise<void> {
    let done = 0;
    for (const [index, { path, ...file }] of files.entries()) {
      const before = done;
      const number = String(index);
      await stageFile({ ...file, path: number }, join(staging, number), vault, undefined, {
        signal,
        // Copied, then hashed.
        onProgress: (now) => onProgress?.(before + now / 2),
        attributes: tree.attributes.get(path),
      });
      done += file.size;
      onProgress?.(done);
    }
  }

  async #assertRoom(needed: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.#folder);
    if (needed <= bavail * bsize) return;
    throw new AixclError(
      'noSpace',
      `${prettyBytes(needed)} are needed on the disk of ${this.#folder}, which has ${prettyBytes(bavail * bsize)} free; nothing was put back`,
      { hint: `df -h ${shellWord(this.#folder)}` },
    );
  }

  /** Nobody else looks into it until it has the mode that it should have. */
  async #makeFolder(path: string): Promise<void> {
    if (path === '') return;
    const there = await lstat(this.#at(path)).catch(absent);
    if (there?.isDirectory()) return;
    if (there) throw notAsSeen(this.#volume, path);
    await mkdir(this.#at(path), { mode: 0o700 });
    await syncDirectory(this.#at(parentOf(path)));
  }

  async #settleLink(path: string, wish: SavedAttributes | undefined): Promise<void> {
    if (!wish) return;
    await lchown(this.#at(path), wish.owner.uid, wish.owner.gid);
    await lutimes(this.#at(path), new Date(), wish.mtime / 1000);
  }

  async #rootMode({ attributes }: SavedTree): Promise<number> {
    return attributes.get('')?.mode ?? (await lstat(this.#folder)).mode & 0o7777;
  }

  async #clearStaging(): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      if (isStaging(name)) await rm(this.#at(name), { recursive: true });
    }
  }

  #at(path: string): string {
    return join(this.#folder, path);
  }
}

function absent(error: unknown): undefined {
  if (['ENOENT', 'ENOTDIR', 'EINVAL'].includes(systemCode(error) ?? '')) return undefined;
  throw error;
}

/** What is no part of a snapshot stays, and the folder with it. */
function notEmpty(error: unknown): false {
  if (['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(systemCode(error) ?? '')) return false;
  throw error;
}
