import { lstat, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { AixclError, systemCode } from '../../errors.ts';
import type { KeptModel } from '../../models/keeper.ts';
import { quoted } from '../../models/model-name.ts';
import type { Engine, VolumeSummary } from '../../stack/engine.ts';
import { folderBehind } from '../../stack/observe.ts';
import type { SourceFile } from '../../vault/subject.ts';
import type { FolderTree } from '../folders/tree.ts';
import { readTree } from '../folders/tree.ts';
import { HelperContainer } from '../helper-container.ts';
import type { HelperWish } from '../helper-spec.ts';
import { sameContent } from '../vault/file-identity.ts';
import type { Receipts } from '../vault/receipts.ts';
import { type CoveredTree, coveredTree } from './covered-tree.ts';
import { listVolume, volumeTarget } from './list-volume.ts';

/** A volume of the engine with all that lies in it, as it was at one moment. */
export interface KeptVolume extends KeptModel, CoveredTree {
  readonly volume: VolumeSummary;
  /** The folder that it is a name for, where this process reads that itself; undefined: a helper does. */
  readonly folder: string | undefined;
  /** It is where an Ollama keeps its models. */
  readonly store: boolean;
}

export interface VolumePlaces {
  readonly engine: () => Promise<Engine>;
  /** AIXCL_HOME. */
  readonly home: string;
  /** For a helper container, the likeliest first. */
  readonly images: () => Promise<readonly string[]>;
  readonly receipts: () => Promise<Receipts>;
  /** Whether a volume is where an Ollama keeps its models, whatever lies in it. */
  readonly isStore: (volume: VolumeSummary) => Promise<boolean>;
  readonly signal: AbortSignal;
}

/**
 * Undefined where the engine has no such volume. Throws `refused` for a name of a folder that is not there. `store`: it is to hold an Ollama's
 * models, whatever else is known.
 */
export async function findVolume(
  places: VolumePlaces,
  name: string,
  store = false,
): Promise<KeptVolume | undefined> {
  const engine = await places.engine();
  const volume = await engine.inspectVolume(name);
  if (!volume) return undefined;
  const folder = await folderOf(volume);
  const read = folder === undefined ? undefined : await readTree(folder);
  // What this user may not look into, a helper may.
  const readable = read?.odd.every(({ why }) => !why.includes('can not look into')) === true;
  const tree = readable && read ? read : await treeByHelper(places, name);
  const isStore = store || (await places.isStore(volume));
  return keptVolume({ volume, folder: readable ? folder : undefined, store: isStore }, tree);
}

/** As `findVolume`, of a volume that a running helper has mounted. */
export async function lookAgain(
  { volume, folder, store }: KeptVolume,
  helper: HelperContainer,
  { signal }: VolumePlaces,
): Promise<KeptVolume> {
  return keptVolume({ volume, folder, store }, await listVolume(helper, { signal }));
}

function keptVolume(which: Pick<KeptVolume, 'volume' | 'folder' | 'store'>, tree: FolderTree): KeptVolume {
  const covered = coveredTree(tree, which.store);
  const { files, odd } = covered.saved;
  const [first] = odd;
  return {
    ...covered,
    ...which,
    subject: { runtime: 'volume', name: which.volume.name },
    size: files.reduce((sum, { identity }) => sum + identity.size, 0),
    files: files.map(({ path, identity, names }) => ({
      path,
      size: identity.size,
      digest: null,
      sharedWith: [],
      linkedElsewhere: names > 1,
    })),
    modified: files.reduce((newest, { modified }) => (modified > newest ? modified : newest), new Date(0)),
    damage: null,
    held: first ? `${quoted(first.path)} in it can't be saved: ${first.why}` : null,
  };
}

/** Whether nothing lies in it that a snapshot would hold. */
export function isEmpty({ saved: { files, links, folders, odd } }: CoveredTree): boolean {
  return files.length + links.length + odd.length === 0 && folders.every(({ path }) => path === '');
}

/** The folder of this machine that a volume is a name for, its links followed. */
async function folderOf(volume: VolumeSummary): Promise<string | undefined> {
  const { name } = volume;
  const folder = folderBehind(volume);
  if (folder === undefined) return undefined;
  try {
    const real = await realpath(folder);
    return (await lstat(real)).isDirectory() ? real : undefined;
  } catch (error) {
    if (['EACCES', 'EPERM'].includes(systemCode(error) ?? '')) return undefined;
    if (!['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw error;
    throw new AixclError('refused', `the volume ${name} is a name for ${folder}, and there is no ${folder}`, {
      hint: `Mount its disk, or bring the folder back. The name alone holds nothing: docker volume rm ${name}`,
      cause: error,
    });
  }
}

async function treeByHelper(places: VolumePlaces, name: string): Promise<FolderTree> {
  await using helper = await startHelper(places, name, 'look');
  return await listVolume(helper, places);
}

/** A running helper with the volume at `volumeTarget`. */
export async function startHelper(
  { engine, home, images, signal }: VolumePlaces,
  name: string,
  operation: string,
): Promise<HelperContainer> {
  const wish: HelperWish = {
    home,
    operation,
    images: await images(),
    mounts: [{ kind: 'volume', name, target: volumeTarget, readOnly: false }],
    signal,
  };
  return await HelperContainer.start(await engine(), wish);
}

/** Files in the folder that a volume is a name for; those that were hashed and are unchanged since come with their digest. */
export async function filesInFolder(
  { saved }: KeptVolume,
  folder: string,
  receipts: Receipts,
): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const { path, identity } of saved.files) {
    const receipt = await receipts.find(identity);
    files.push({
      path,
      size: identity.size,
      digest: receipt?.digest ?? null,
      proven: receipt !== undefined,
      bytes: { kind: 'file', path: join(folder, path) },
    });
  }
  return files;
}

/** Throws `refused` where anything in it is not what it was: by inode, size and time of a file, by the target of a link, by name. */
export function assertSame(before: KeptVolume, now: KeptVolume | undefined): void {
  const changed = now ? firstChange(before.saved, now.saved) : before.subject.name;
  if (changed === undefined) return;
  throw new AixclError(
    'refused',
    `${quoted(changed)} in the volume ${before.subject.name} is not what was saved, so everything stays`,
    { hint: 'Stop whatever writes there, then run the command again.' },
  );
}

function firstChange(a: FolderTree, b: FolderTree): string | undefined {
  const files = new Map(b.files.map((file) => [file.path, file]));
  const wrong = a.files.find(({ path, identity }) => {
    const other = files.get(path);
    return !other || !sameContent(identity, other.identity);
  });
  if (wrong) return wrong.path;
  const names = ({ files: f, folders, links, odd }: FolderTree) => [
    ...[...f, ...folders, ...odd].map(({ path }) => path),
    ...links.map(({ path, target }) => `${path}\0${target}`),
  ];
  const [before, now] = [new Set(names(a)), new Set(names(b))];
  const other = [...now].find((each) => !before.has(each)) ?? [...before].find((each) => !now.has(each));
  return other?.split('\0')[0];
}
