import { readFile, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, sep } from 'node:path';
import type { HostStore, StoreExamined } from '../../../doctor/examined.ts';
import { AixclError, systemCode } from '../../../errors.ts';
import { blobsOf } from '../../../models/ollama/manifest.ts';
import { shownName } from '../../../models/ollama/name.ts';
import { ifKnown } from './examination.ts';
import { bytesOf, compare, modelsFolderIn, partialsIn, sightOfFolder } from './store-sight.ts';
import type { Surroundings } from './surroundings.ts';

/** What is odd in this home's store. Nothing is hashed. */
export async function lookAtStore({ store }: Surroundings): Promise<StoreExamined> {
  const { place, models, manifests, blobs, folder } = await store();
  const unreadable = manifests.flatMap(({ name, problem }) =>
    problem === null ? [] : [{ model: shownName(name), why: problem }],
  );
  const incomplete = models.flatMap(({ subject, stored, damage }) =>
    stored.manifest && damage !== null ? [{ model: subject.name, why: damage }] : [],
  );
  const named = new Set(
    manifests.flatMap(({ manifest }) => (manifest ? blobsOf(manifest) : [])).map(({ digest }) => digest),
  );
  const orphans = [...blobs].filter(([digest]) => !named.has(digest)).map(([, { size }]) => size);
  const partials = folder === null ? [] : await partialsIn(folder);
  const [first, ...others] = partials;
  return {
    place,
    unreadable,
    incomplete,
    orphans: folder === null ? null : { files: orphans.length, bytes: sum(orphans) },
    partials: first
      ? {
          files: partials.length,
          bytes: sum(partials.map(({ bytes }) => bytes)),
          newest: others.reduce(
            (newest, { modified }) => (modified > newest ? modified : newest),
            first.modified,
          ),
        }
      : null,
  };
}

/** Stores of an Ollama outside the engine: of this user, of who called sudo, of the service that Ollama's installer sets up. */
export async function lookAtHostStores(around: Surroundings): Promise<HostStore[]> {
  const { env, home } = around.context;
  const homes = [env.HOME || homedir(), await homeOf(env.SUDO_USER), '/usr/share/ollama'];
  const paths = homes.flatMap((each) => (each ? [join(each, '.ollama')] : []));
  const ours = await realPath(home.root);
  const found: HostStore[] = [];
  const seen = new Set<string>();
  for (const path of paths) {
    const real = await realPath(path);
    if (real === undefined || seen.has(real) || isInside(real, join(ours ?? home.root, 'ollama'))) continue;
    seen.add(real);
    found.push(...(await lookAt(path, around)));
  }
  return found;
}

async function lookAt(path: string, around: Surroundings): Promise<HostStore[]> {
  try {
    const folder = await modelsFolderIn(path);
    if (folder === undefined) return [];
    const sight = await sightOfFolder(folder);
    const ours = await ifKnown(around.store());
    const compared = ours && compare(sight, ours);
    return [
      {
        path: folder,
        models: sight.models.length,
        bytes: compared?.missingBytes ?? bytesOf(sight),
        here: compared?.here ?? null,
      },
    ];
  } catch (error) {
    const closed = error instanceof AixclError || ['EACCES', 'EPERM'].includes(systemCode(error) ?? '');
    if (closed) return [{ path: join(path, 'models'), models: null, bytes: null, here: null }];
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Home folder of an account, by passwd(5). */
async function homeOf(user: string | undefined): Promise<string | undefined> {
  if (!user) return undefined;
  const accounts = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n');
  return accounts.map((line) => line.split(':')).find(([name]) => name === user)?.[5];
}

/** Undefined where nothing is. Where this user may not look, as it is. */
async function realPath(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '') ? undefined : path;
  }
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder + sep);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
