import { Readable } from 'node:stream';
import { AixclError, reasonOf } from '../../errors.ts';
import type { Engine } from '../../stack/engine.ts';
import { hexOf } from '../../vault/digest.ts';
import type { FolderTree } from '../folders/tree.ts';
import { type HelperContainer, HelperFailure } from '../helper-container.ts';
import { stagingName } from './covered-tree.ts';
import { volumeTarget } from './list-volume.ts';
import { type Packed, packFiles } from './pack-files.ts';
import type { SavedAttributes } from './saved-tree.ts';
import { deepestFirst, type Filling, notAsSeen, takenFirst, type VolumeWriter } from './volume-writer.ts';

export interface HelperPlace {
  readonly engine: Engine;
  /** Running, with the volume at `volumeTarget`; taken away when the writer is closed. */
  readonly helper: HelperContainer;
  readonly volume: string;
  readonly signal: AbortSignal;
}

const clearStaging = `for each in "$1"/.aixcl-restore-*; do rm -rf -- "$each"; done`;
/** Says the first that is not what it should be. */
const removeFiles = `
while [ $# -gt 0 ]; do
  if [ -L "$1" ] || [ "$(stat -c '%i %s %Y' -- "$1" 2>/dev/null)" != "$2" ]; then printf 'changed %s' "$1"; exit 3; fi
  rm -f -- "$1"
  shift 2
done
`;
const removeLinks = `
while [ $# -gt 0 ]; do
  leads=$(readlink -n -- "$1"; echo x)
  if [ "\${leads%x}" != "$2" ]; then printf 'changed %s' "$1"; exit 3; fi
  rm -f -- "$1"
  shift 2
done
`;
const removeFolders = 'for each; do rmdir -- "$each" 2>/dev/null || :; done';
const makeFolders = `
for each; do
  if [ -d "$each" ] && [ ! -L "$each" ]; then continue; fi
  if [ -e "$each" ] || [ -L "$each" ]; then printf 'changed %s' "$each"; exit 3; fi
  mkdir -m 0700 -- "$each"
done
`;
const check = 'cd "$1"; sync; sha256sum -c sums 2>/dev/null | grep -v ": OK$" || :';
const publish = `
while [ $# -gt 0 ]; do
  if [ -e "$2" ] || [ -L "$2" ]; then printf 'changed %s' "$2"; exit 3; fi
  mv -- "$1" "$2"
  shift 2
done
sync
`;
const makeLinks = `
while [ $# -gt 0 ]; do
  if [ -e "$1" ] || [ -L "$1" ]; then printf 'changed %s' "$1"; exit 3; fi
  ln -s -- "$2" "$1"
  if [ "$3" ]; then chown -h -- "$3" "$1"; touch -h -d "@$4" -- "$1" 2>/dev/null || :; fi
  shift 4
done
`;
const settleThese = `
while [ $# -gt 0 ]; do
  if [ -L "$1" ]; then chown -h -- "$2" "$1"; touch -h -d "@$4" -- "$1" 2>/dev/null || :
  elif [ -e "$1" ]; then chown -- "$2" "$1"; chmod "$3" "$1"; touch -d "@$4" -- "$1"; fi
  shift 4
done
sync
`;

/** Changes a volume inside a helper container: bytes by the archive API, checked, synced and named by a shell. */
export class HelperVolumeWriter implements VolumeWriter {
  readonly #place: HelperPlace;

  constructor(place: HelperPlace) {
    this.#place = place;
  }

  async takeAway({ files, links, folders }: FolderTree): Promise<void> {
    await this.#run(clearStaging, [volumeTarget]);
    const identified = takenFirst(files).map(({ path, identity: { inode, size, mtime } }) => [
      at(path),
      `${inode} ${size} ${BigInt(mtime) / 1_000_000_000n}`,
    ]);
    await this.#each(removeFiles, identified);
    await this.#each(
      removeLinks,
      links.map(({ path, target }) => [at(path), target]),
    );
    const empty = deepestFirst(folders).filter(({ path }) => path !== '');
    await this.#each(
      removeFolders,
      empty.map(({ path }) => [at(path)]),
    );
    await this.#run('sync', []);
  }

  async fill(filling: Filling): Promise<void> {
    const { tree, files, links, operation } = filling;
    const staging = at(stagingName(operation));
    await this.#run(`${clearStaging}; mkdir -m 0700 -- "$2"`, [volumeTarget, staging]);
    try {
      if (files.length > 0) await this.#stage(filling, staging);
    } catch (error) {
      await this.#run(clearStaging, [volumeTarget]).catch(() => {
        // The next one who writes there clears it.
      });
      throw error;
    }
    await this.#each(
      makeFolders,
      tree.folders.flatMap((path) => (path === '' ? [] : [[at(path)]])),
    );
    await this.#each(
      publish,
      files.map(({ path }, index) => [`${staging}/${index}`, at(path)]),
    );
    await this.#each(
      makeLinks,
      links.map(({ path, target }) => {
        const { owner, mtime } = tree.attributes.get(path) ?? {};
        return [at(path), target, owner ? `${owner.uid}:${owner.gid}` : '', seconds(mtime ?? 0)];
      }),
    );
    await this.#run('rm -rf -- "$1"', [staging]);
    // By the engine, in one go; it leaves the volume itself alone.
    const folders = tree.folders.flatMap((path): Packed[] => {
      const attributes = path === '' ? undefined : tree.attributes.get(path);
      return attributes ? [{ kind: 'folder', name: `${path}/`, attributes }] : [];
    });
    if (folders.length > 0) await this.#put(volumeTarget, folders, filling);
    const own = tree.attributes.get('');
    if (own) await this.#run(settleThese, settling(['', own]));
    await this.#run('sync', []);
  }

  async settle(wishes: ReadonlyMap<string, SavedAttributes>): Promise<void> {
    await this.#each(settleThese, [...wishes].map(settling));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#place.helper[Symbol.asyncDispose]();
  }

  /** Under numbers, each with what it should hash to once it landed. */
  async #stage({ tree, files, vault, signal, onProgress }: Filling, staging: string): Promise<void> {
    const sums = Buffer.from(files.map(({ digest }, index) => `${hexOf(digest)}  ${index}\n`).join(''));
    const entries = files.map(
      ({ path, digest, size }, index): Packed => ({
        kind: 'file',
        name: String(index),
        size,
        attributes: tree.attributes.get(path),
        open: () => vault.openBlob(digest, size),
      }),
    );
    const list: Packed = {
      kind: 'file',
      name: 'sums',
      size: sums.length,
      attributes: undefined,
      open: async () => Readable.from([sums], { objectMode: false }),
    };
    await this.#put(staging, [...entries, list], { signal, ...(onProgress && { onProgress }) });
    const wrong = /^(\d+): /.exec(await this.#run(check, [staging]))?.[1];
    if (wrong === undefined) return;
    const { path } = files[Number(wrong)]!;
    throw new AixclError('verification', `what landed of ${JSON.stringify(path)} is not what the vault has`, {
      hint: 'aixcl vault verify',
    });
  }

  async #put(
    path: string,
    entries: readonly Packed[],
    { signal, onProgress }: Pick<Filling, 'signal' | 'onProgress'>,
  ): Promise<void> {
    const { engine, helper } = this.#place;
    const tar = await packFiles(entries, { signal, ...(onProgress && { onProgress }) });
    try {
      await engine.writeArchive(helper.id, path, tar, { signal });
    } catch (error) {
      throw this.#explained(error);
    } finally {
      tar.destroy();
    }
  }

  /** So many at a time as a command line holds. */
  async #each(script: string, items: readonly (readonly string[])[]): Promise<void> {
    let batch: string[] = [];
    let length = 0;
    for (const item of items) {
      const own = item.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
      if (batch.length > 0 && length + own > 100_000) {
        await this.#run(script, batch);
        [batch, length] = [[], 0];
      }
      batch.push(...item);
      length += own;
    }
    if (batch.length > 0) await this.#run(script, batch);
  }

  async #run(script: string, args: readonly string[]): Promise<string> {
    try {
      return await this.#place.helper.run(script, args, this.#place.signal);
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** The engine and the shell say in words what a system call would say by its code. */
  #explained(error: unknown): unknown {
    const words = reasonOf(error);
    const { volume } = this.#place;
    if (error instanceof HelperFailure && error.exitCode === 3 && words.startsWith('changed '))
      return notAsSeen(volume, words.slice(`changed ${volumeTarget}/`.length));
    if (/no space left|disk quota exceeded/i.test(words)) {
      return new AixclError('noSpace', `the disk of the volume ${volume} is full`, {
        hint: 'df -h',
        cause: error,
      });
    }
    if (!(error instanceof HelperFailure)) return error;
    return new AixclError('unexpected', `the volume ${volume} can't be written: ${words}`, {
      hint: `docker volume inspect ${volume}`,
      cause: error,
    });
  }
}

function settling([path, { mode, mtime, owner }]: readonly [string, SavedAttributes]): string[] {
  return [at(path), `${owner.uid}:${owner.gid}`, mode.toString(8), seconds(mtime)];
}

function at(path: string): string {
  return path === '' ? volumeTarget : `${volumeTarget}/${path}`;
}

function seconds(mtime: number): string {
  return (mtime / 1000).toFixed(6);
}
