import { posix } from 'node:path';
import type { FolderTree } from '../folders/tree.ts';
import { stagingFolder as storeStaging } from '../ollama/store/layout.ts';

/** What stands in a volume and goes into no snapshot of it. */
export interface LeftOut {
  readonly path: string;
  readonly why: string;
}

export interface CoveredTree {
  /** What a snapshot of the volume holds. */
  readonly saved: FolderTree;
  readonly leftOut: readonly LeftOut[];
}

/** At the root of a volume: what is being put back. One a restore, gone at its end. */
export function stagingName(operation: string): string {
  return `.aixcl-restore-${operation}`;
}

export function isStaging(path: string): boolean {
  return /^\.aixcl-restore-[^/]+(\/|$)/.test(path);
}

/**
 * Parts what is saved from what never is: the private key of an Ollama (with its public half, of no use alone), downloads that did not end,
 * and what an interrupted restore left of its own. `store`: it is an Ollama's, also where no folder of it tells.
 */
export function coveredTree(tree: FolderTree, store: boolean): CoveredTree {
  const folders = new Set(tree.folders.map(({ path }) => path));
  const leftOut = tree.files.flatMap(({ path }): LeftOut[] => {
    const why = isStaging(path) ? undefined : whyLeftOut(path, folders, store);
    return why === undefined ? [] : [{ path, why }];
  });
  const left = new Set(leftOut.map(({ path }) => path));
  const stays = ({ path }: { readonly path: string }) => !isStaging(path) && !left.has(path);
  const files = tree.files.filter(stays);
  const links = tree.links.filter(stays);
  const kept = tree.folders.filter(stays);
  const filled = new Set([...files, ...links, ...kept].map(({ path }) => parentOf(path)));
  return {
    saved: {
      files,
      links,
      folders: kept,
      emptyFolders: kept.flatMap(({ path }) => (path === '' || filled.has(path) ? [] : [path])),
      owned: new Map([...tree.owned].filter(([path]) => stays({ path }))),
      odd: tree.odd.filter(stays),
    },
    leftOut,
  };
}

function whyLeftOut(path: string, folders: ReadonlySet<string>, store: boolean): string | undefined {
  const folder = parentOf(path);
  const at = (place: string) => folders.has(folder === '' ? place : `${folder}/${place}`);
  const beside = at('models/manifests') || at('models/blobs') || (store && folder === '');
  if (beside && /^id_ed25519(\.pub)?$/.test(posix.basename(path)))
    return "Ollama's own key, which no backup holds";
  if (/(^|\/)blobs\/sha256-[0-9a-f]{64}-partial(-\d+)?$/.test(path)) return 'a download that did not end';
  return path.split('/').includes(storeStaging) ? 'left by an interrupted restore' : undefined;
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}
