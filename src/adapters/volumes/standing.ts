import { AixclError } from '../../errors.ts';
import { labels } from '../../labels.ts';
import type { ContainerSummary, Engine } from '../../stack/engine.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { WorkOptions } from '../../vault/vault.ts';
import { type Missing, missingIn } from './compare.ts';
import { hashVolume } from './hash-volume.ts';
import { findVolume, type KeptVolume, type VolumePlaces } from './kept-volume.ts';
import { type SavedTree, savedTree } from './saved-tree.ts';

/** The volume into which a snapshot is to be put, and what it lacks of that. Undefined where there is none; `refused` where other things stand. */
export async function standingFor(
  places: VolumePlaces,
  name: string,
  snapshot: Snapshot,
  tree: SavedTree,
  options: WorkOptions,
): Promise<{ readonly kept: KeptVolume; readonly missing: Missing } | undefined> {
  await assertUnused(await places.engine(), name);
  const store = tree.folders.includes('models/blobs') || tree.folders.includes('models/manifests');
  const kept = await findVolume(places, name, store);
  if (!kept) return undefined;
  // Other things tell by their names and sizes, which takes no hashing.
  await missingByName(kept, tree, snapshot);
  const digests = await hashVolume(places, kept, options);
  const digestOf = async (path: string) => digests.get(path) ?? '';
  return { kept, missing: await missingIn(name, kept.saved, tree, snapshot, digestOf) };
}

/** Whether all that stands in it is in a snapshot, as far as names, sizes, owners, modes and times tell. */
export async function isPartOf(kept: KeptVolume, snapshot: Snapshot): Promise<boolean> {
  try {
    return !(await missingByName(kept, savedTree(snapshot), snapshot)).attributes;
  } catch (error) {
    if (error instanceof AixclError && ['refused', 'verification'].includes(error.code)) return false;
    throw error;
  }
}

/** As if all that has the name and the size of what was saved had its bytes too. */
function missingByName(
  { saved, subject }: KeptVolume,
  tree: SavedTree,
  snapshot: Snapshot,
): Promise<Missing> {
  const digests = new Map<string, string>(tree.files.map(({ path, digest }) => [path, digest]));
  return missingIn(subject.name, saved, tree, snapshot, async (path) => digests.get(path) ?? '');
}

async function assertUnused(engine: Engine, name: string): Promise<void> {
  const user = (await engine.listContainers()).find((one) => isUp(one) && writesInto(one, name));
  if (!user) return;
  throw new AixclError('refused', `the container ${user.name} runs and uses the volume ${name}`, {
    hint: `aixcl stack stop, or docker stop ${user.name}; then run the command again`,
  });
}

/** A guard only holds it, and a helper is ours. */
function writesInto({ labels: own, mounts }: ContainerSummary, name: string): boolean {
  const mounted = mounts.some(
    (mount) => mount.kind === 'volume' && mount.name === name && mount.readOnly !== true,
  );
  return mounted && own[labels.operation] === undefined;
}

function isUp({ state }: ContainerSummary): boolean {
  return state === 'running' || state === 'paused' || state === 'restarting';
}
