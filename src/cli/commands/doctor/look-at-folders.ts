import { constants } from 'node:fs';
import { access, readFile, stat, statfs } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { sep } from 'node:path';
import { nearest } from '../../../adapters/vault/same-mount.ts';
import type { DiskExamined, FolderExamined } from '../../../doctor/examined.ts';
import { systemCode } from '../../../errors.ts';
import type { StackDefinition } from '../../../stack/definition/types.ts';
import type { ContainerSummary, VolumeSummary } from '../../../stack/engine.ts';
import { folderBehind } from '../../../stack/observe.ts';
import { ifKnown } from './examination.ts';
import type { Surroundings } from './surroundings.ts';

/** The folders of the home, and those that volumes of the stack are names for. */
export async function lookAtFolders(around: Surroundings): Promise<FolderExamined[]> {
  const { home } = around.context;
  const users = await usersOf(around);
  const own: readonly (readonly [what: string, path: string])[] = [
    ['the home', home.root],
    ['the models directory', home.models],
    ['the vault', home.vault],
    ['the journal', home.journal],
  ];
  const mounted = [...users].filter(([path]) => !own.some(([, each]) => each === path));
  const found = await Promise.all([
    ...own.map(([what, path]) => lookAt(what, path, users.get(path) ?? null, true)),
    // What a container writes there is its own user's.
    ...mounted.map(([path, user]) => lookAt('the folder', path, user, false)),
  ]);
  // What opens the home opens what lies in it.
  const isClosed = found.some(({ path, state }) => path === home.root && state === 'closed');
  return isClosed ? found.filter(({ path }) => !path.startsWith(`${home.root}${sep}`)) : found;
}

/** Who can't do without which folder: volumes that are names for one, containers that mount one. None while the engine is off. */
async function usersOf({
  context,
  definition,
  ownContainers,
  volumes,
}: Surroundings): Promise<Map<string, string>> {
  const engine = await ifKnown(Promise.all([ownContainers(), volumes(), definition()]));
  return engine ? usersIn(...engine, context.home.models) : new Map();
}

function usersIn(
  containers: readonly ContainerSummary[],
  volumes: readonly VolumeSummary[],
  definition: StackDefinition,
  models: string,
): Map<string, string> {
  const users = new Map<string, string>();
  for (const { name } of definition.volumes.values()) {
    const volume = volumes.find((each) => each.name === name);
    const folder = volume && folderBehind(volume);
    if (folder) users.set(folder, `the volume ${name}`);
  }
  const user = containers.find(({ mounts }) => mounts.some(({ source }) => source === models));
  if (user) users.set(models, `the container ${user.name}`);
  return users;
}

async function lookAt(
  what: string,
  path: string,
  neededBy: string | null,
  mustWrite: boolean,
): Promise<FolderExamined> {
  const user = userInfo().username;
  try {
    const found = await stat(path);
    const owner = await accountOf(found.uid);
    if (!found.isDirectory()) return { path, what, state: 'no folder', owner, user, neededBy };
    const state = !mustWrite || (await mayUse(path)) ? 'usable' : 'closed';
    return { path, what, state, owner, user, neededBy };
  } catch (error) {
    if (systemCode(error) === 'ENOTDIR')
      return { path, what, state: 'no folder', owner: null, user, neededBy };
    if (systemCode(error) === 'EACCES')
      return { path, what, state: mustWrite ? 'closed' : 'usable', owner: 'somebody else', user, neededBy };
    if (systemCode(error) !== 'ENOENT') throw error;
    return { path, what, state: 'missing', owner: null, user, neededBy };
  }
}

async function mayUse(path: string): Promise<boolean> {
  return access(path, constants.R_OK | constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** By passwd(5); `uid N` of one that has no account. */
async function accountOf(uid: number): Promise<string> {
  const accounts = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n');
  const found = accounts.map((line) => line.split(':')).find(([, , id]) => id === String(uid));
  return found?.[0] ?? `uid ${uid}`;
}

/** Each disk once, by device. */
export async function lookAtDisks({ context, engine }: Surroundings): Promise<DiskExamined[]> {
  const { home } = context;
  const info = await ifKnown(engine().then((it) => it.info()));
  const dataRoot = info?.dataRoot;
  const places: readonly (readonly [what: string, path: string | undefined])[] = [
    ['models', home.models],
    ["Ollama's models", home.ollama],
    ['the vault', home.vault],
    ["the engine's data", dataRoot && (await isHere(dataRoot)) ? dataRoot : undefined],
  ];
  const disks = new Map<number, DiskExamined>();
  for (const [what, path] of places) {
    if (!path) continue;
    const at = await nearest(path);
    const { dev } = await stat(at);
    const known = disks.get(dev);
    const { bavail, blocks, bsize } = await statfs(at);
    disks.set(dev, {
      path: known?.path ?? at,
      holds: [...(known?.holds ?? []), what],
      free: bavail * bsize,
      total: blocks * bsize,
    });
  }
  return [...disks.values()];
}

/** An engine in a machine of its own (Desktop) keeps its data there. */
async function isHere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
