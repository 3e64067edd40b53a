import { AixclError } from '../../errors.ts';
import { quoted } from '../../models/model-name.ts';
import type { SnapshotFile } from '../../vault/snapshot.ts';
import type { Vault, WorkOptions } from '../../vault/vault.ts';
import type { FolderTree } from '../folders/tree.ts';
import type { SavedAttributes, SavedTree } from './saved-tree.ts';

/** Changes what is in a volume: in its folder on this disk, or by a helper container. */
export interface VolumeWriter extends AsyncDisposable {
  /**
   * Takes away files, links and folders that are empty then, each while it still is what `tree` says: `refused` where it is not. What else
   * stands there stays, and the folders that hold it.
   */
  takeAway(tree: FolderTree): Promise<void>;
  /** Puts back what is missing. Nothing that stands is written over: `refused` where a name is taken. */
  fill(filling: Filling): Promise<void>;
  /** Gives files and links that stand there mode, owner and time. One that is gone is passed over. */
  settle(wishes: ReadonlyMap<string, SavedAttributes>): Promise<void>;
}

export interface Filling extends WorkOptions {
  readonly tree: SavedTree;
  /** Those that are missing, in the order in which they get their names. */
  readonly files: readonly SnapshotFile[];
  readonly links: SavedTree['links'];
  readonly vault: Vault;
  /** Names what is staged. */
  readonly operation: string;
}

export function notAsSeen(volume: string, path: string): AixclError {
  return new AixclError(
    'refused',
    `${quoted(path)} in the volume ${volume} is not what was seen before, so it stays`,
    { hint: 'Stop whatever writes there, then run the command again.' },
  );
}

/** Manifests of an Ollama first: without them no blob is missed. */
export function takenFirst<T extends { readonly path: string }>(files: readonly T[]): T[] {
  const isManifest = ({ path }: T) => /(^|\/)manifests\//.test(path);
  return [...files.filter(isManifest), ...files.filter((file) => !isManifest(file))];
}

/** And put back the other way round: no manifest before its blobs. */
export function putBackFirst<T extends { readonly path: string }>(files: readonly T[]): T[] {
  return takenFirst(files).reverse();
}

/** The deepest first. */
export function deepestFirst<T extends { readonly path: string }>(folders: readonly T[]): T[] {
  return [...folders].sort((a, b) => b.path.split('/').length - a.path.split('/').length);
}
