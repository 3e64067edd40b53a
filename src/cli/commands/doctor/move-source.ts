import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { stoppedOllama } from '../../../adapters/ollama/absent.ts';
import { type OllamaLocation, readable } from '../../../adapters/ollama/locate.ts';
import { AixclError, systemCode } from '../../../errors.ts';
import type { OtherStore } from '../../../models/ollama/bring-over.ts';
import { OllamaKeeper } from '../../../models/ollama/keeper.ts';
import { shellWord } from '../../../shell-word.ts';
import type { VolumeSummary } from '../../../stack/engine.ts';
import { folderBehind } from '../../../stack/observe.ts';
import { guardHolding } from '../../../stack/volumes/guard.ts';
import { ollamaOf, storeAt } from '../../../wiring/ollama.ts';
import type { Context } from '../../context.ts';

/** What `--move` was given. */
export type MoveSource =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'volume'; readonly volume: VolumeSummary; readonly folder: string | undefined };

/** Another Ollama's store, as users are told of it. */
export interface FoundStore extends OtherStore {
  /** `volume services_ollama`, or the folder with its models. */
  readonly place: string;
  /** What takes it away for good, once all that is in it is here. */
  readonly removal: string;
  /** Folder of this machine with all that `removal` takes. */
  readonly root: string;
}

/** Reads a volume's name or a path. Throws `notFound` where there is neither; a mistyped name makes no volume. */
export async function moveSource(context: Context, text: string): Promise<MoveSource> {
  if (text.includes('/') || ['.', '..', '~'].includes(text)) {
    const path = resolve(text.replace(/^~(?=\/|$)/, context.env.HOME || homedir()));
    if (await isFolder(path)) return { kind: 'folder', path };
    throw new AixclError('notFound', `there is no folder ${path}`, { hint: 'aixcl doctor' });
  }
  const volume = await (await context.engine()).inspectVolume(text);
  if (volume) return { kind: 'volume', volume, folder: folderBehind(volume) };
  throw new AixclError('notFound', `there is no volume ${text} on this engine`, {
    hint: 'docker volume ls; for a folder, its path: aixcl doctor --move ./FOLDER',
  });
}

/** Where an Ollama's folder `models` may lie below what one has of it: its folder, that one itself, the home around it. */
const ways = ['models', '', '.ollama/models'];

/** The store that a volume or folder holds. Throws `notFound` where it holds no model. */
export async function storeIn(context: Context, source: MoveSource): Promise<FoundStore> {
  const { images } = await ollamaOf(context);
  const removal = await removalOf(context, source);
  for (const below of ways) {
    const location = await locationOf(source, below);
    const store = await storeAt(context, location, images);
    if ((await store.manifests()).length === 0) continue;
    const api = stoppedOllama(`${store.place} is read from its files`);
    const keeper = new OllamaKeeper({ store, api, signal: context.signal });
    const { place } = store;
    if (removal !== undefined) return { store, keeper, place, ...removal };
    return { store, keeper, place, removal: `rm -r ${shellWord(place)}`, root: place };
  }
  if (source.kind === 'volume') await refuseOwn(context, source.volume.name);
  const where = source.kind === 'volume' ? `the volume ${source.volume.name}` : source.path;
  throw new AixclError('notFound', `${where} holds no models of an Ollama`, {
    hint: 'Its folder has models/manifests and models/blobs in it.',
  });
}

/** Another service's volume of this stack: what is in there is no matter of Ollama's. */
async function refuseOwn(context: Context, name: string): Promise<void> {
  const { volumes } = await context.definition();
  if (![...volumes.values()].some((volume) => volume.name === name)) return;
  throw new AixclError(
    'refused',
    `the volume ${name} holds no models of an Ollama, and only those are moved`,
    {
      hint: 'aixcl doctor --fix, which holds it where it is',
    },
  );
}

async function locationOf(source: MoveSource, below: string): Promise<OllamaLocation> {
  const folder = source.kind === 'folder' ? source.path : source.folder;
  if (folder === undefined && source.kind === 'volume') {
    const { name } = source.volume;
    const mount = { kind: 'volume', name, below } as const;
    return { kind: 'engine', place: `volume ${name}`, container: undefined, mount };
  }
  const path = folder ?? '';
  const models = join(path, below);
  if (await readable(models)) return { kind: 'directory', models };
  const mount = { kind: 'folder', path, below } as const;
  return { kind: 'engine', place: models, container: undefined, mount };
}

/** Undefined for a folder. */
async function removalOf(
  context: Context,
  source: MoveSource,
): Promise<Pick<FoundStore, 'removal' | 'root'> | undefined> {
  if (source.kind === 'folder' || source.folder !== undefined) return undefined;
  const { name, mountpoint: root } = source.volume;
  const held = guardHolding(await (await context.engine()).listContainers(), name);
  const removal = `${held ? 'aixcl stack clean --volumes' : 'docker volume rm'} ${shellWord(name)}`;
  return { removal, root };
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    // What this user may not look at, a helper container may.
    if (systemCode(error) === 'EACCES') return true;
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return false;
    throw error;
  }
}
