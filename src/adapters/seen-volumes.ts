import { mkdir, readFile, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { AixclError, reasonOf, systemCode } from '../errors.ts';
import type { Home } from '../home.ts';
import { shellWord } from '../shell-word.ts';
import type { Engine, VolumeSummary } from '../stack/engine.ts';
import { folderBehind } from '../stack/observe.ts';
import type { SeenVolumes } from '../stack/volumes/volume-contents.ts';
import { ownershipOf, replaceFile } from './durable.ts';
import { HelperContainer } from './helper-container.ts';

/** `AIXCL_HOME/volumes.json`: `{NAME: {modelsSeen, at}}`, so that `stack status` need not look itself. */
function recordFile(home: Home): string {
  return join(home.root, 'volumes.json');
}

/** What was seen in volumes. A record that can't be read knows of none. */
export async function readSeen(home: Home): Promise<SeenVolumes> {
  let text: string;
  try {
    text = await readFile(recordFile(home), 'utf8');
  } catch (error) {
    if (['ENOENT', 'EACCES'].includes(systemCode(error) ?? '')) return new Map();
    throw new AixclError('unexpected', `${recordFile(home)} can't be read: ${reasonOf(error)}`, {
      hint: `mv ${shellWord(recordFile(home))} ${shellWord(`${recordFile(home)}.aside`)}`,
      cause: error,
    });
  }
  return new Map(
    Object.entries(parsed(text)).flatMap(([name, entry]) => {
      const { modelsSeen, at } = (entry ?? {}) as { modelsSeen?: unknown; at?: unknown };
      return typeof modelsSeen === 'boolean' && typeof at === 'string' ? [[name, { modelsSeen, at }]] : [];
    }),
  );
}

function parsed(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

/** Records whether models lie in a volume. */
export async function recordSeen(home: Home, name: string, modelsSeen: boolean): Promise<void> {
  const seen = new Map(await readSeen(home));
  seen.set(name, { modelsSeen, at: new Date().toISOString() });
  await mkdir(home.root, { recursive: true });
  const text = `${JSON.stringify(Object.fromEntries([...seen].sort()), null, 2)}\n`;
  await replaceFile(recordFile(home), text, await ownershipOf(home.root));
}

export interface LookWish {
  readonly home: Home;
  /** For a helper container, the likeliest first (`imagesAtHand`). */
  readonly images: readonly string[];
  readonly signal: AbortSignal;
}

/** Where in a volume models may lie: it may be mounted as Ollama's folder, as its folder of models, or as the home around both. */
const places = ['models', '', '.ollama/models'];

/**
 * Looks whether models of an Ollama lie in a volume: `models/manifests` beside `models/blobs`, or both at its root. A folder of this machine
 * is looked into itself, any other volume through a helper container that never runs. Undefined: it can't be looked into, as
 * no image for a helper is here or the engine can't mount it.
 */
export async function looksLikeModels(
  engine: Engine,
  volume: VolumeSummary,
  wish: LookWish,
): Promise<boolean | undefined> {
  const folder = folderBehind(volume);
  if (folder !== undefined) {
    const seen = await seenBy((path) => isFolder(join(folder, path)));
    if (seen !== undefined) return seen;
  }
  return throughHelper(engine, volume.name, wish);
}

async function throughHelper(
  engine: Engine,
  name: string,
  { home, images, signal }: LookWish,
): Promise<boolean | undefined> {
  try {
    await using helper = await HelperContainer.create(engine, {
      home: home.root,
      operation: 'look',
      images,
      mounts: [{ kind: 'volume', name, target: '/volume', readOnly: true }],
      signal,
    });
    return await seenBy(async (path) => {
      const found = await engine.statPath(helper.id, posix.join('/volume', path));
      return found !== undefined && found.kind !== 'file';
    });
  } catch (error) {
    if (error instanceof AixclError && ['notFound', 'unexpected'].includes(error.code)) return undefined;
    throw error;
  }
}

async function seenBy(look: (path: string) => Promise<boolean | undefined>): Promise<boolean | undefined> {
  let closed = false;
  for (const place of places) {
    const manifests = await look(posix.join(place, 'manifests'));
    const blobs = manifests === false ? false : await look(posix.join(place, 'blobs'));
    if (manifests && blobs) return true;
    closed ||= manifests === undefined || blobs === undefined;
  }
  return closed ? undefined : false;
}

/** Undefined: this user may not look. */
async function isFolder(path: string): Promise<boolean | undefined> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemCode(error) ?? '')) return false;
    if (['EACCES', 'EPERM'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}
