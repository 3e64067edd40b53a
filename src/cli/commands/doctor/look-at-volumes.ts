import { realpath } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { hostFacts } from '../../../adapters/host-facts.ts';
import { looksLikeModels, readSeen, recordSeen } from '../../../adapters/seen-volumes.ts';
import type { OtherVolume } from '../../../doctor/examined.ts';
import { AixclError, systemCode } from '../../../errors.ts';
import type { StackDefinition } from '../../../stack/definition/types.ts';
import type { ContainerSummary, Engine, VolumeSummary } from '../../../stack/engine.ts';
import { folderBehind } from '../../../stack/observe.ts';
import { isGuard, mountedVolumes } from '../../../stack/volumes/guard.ts';
import { imagesAtHand } from '../../../stack/volumes/images-at-hand.ts';
import { contentsOfVolume, type SeenVolumes } from '../../../stack/volumes/volume-contents.ts';
import {
  holderOf,
  type VolumeStatus,
  volumeStatuses,
  volumesOfStack,
} from '../../../stack/volumes/volume-status.ts';
import { journalOf } from '../../../wiring/journal.ts';
import { placesBroughtOver } from './brought-over.ts';
import { ifKnown } from './examination.ts';
import { filesOnlyThere } from './only-there.ts';
import { bytesOf, compare, modelsFolderIn, sightOfFolder } from './store-sight.ts';
import type { Surroundings } from './surroundings.ts';

/** The volumes of the stack. */
export async function lookAtVolumes(around: Surroundings): Promise<VolumeStatus[]> {
  const [definition, containers, volumes, seen] = await Promise.all([
    around.definition(),
    around.ownContainers(),
    around.volumes(),
    readSeen(around.context.home),
  ]);
  const services = [...definition.services.values()];
  const world = { host: hostFacts, definition, containers, volumes, seen };
  return volumeStatuses(world, services, { others: true });
}

/** Milliseconds for all volumes that have to be looked into through a helper container: it is for the first time, and recorded. */
const patienceMs = 1000;

interface World {
  readonly around: Surroundings;
  readonly engine: Engine;
  readonly definition: StackDefinition;
  readonly containers: readonly ContainerSummary[];
  readonly seen: SeenVolumes;
  /** Ends when the time for looks through a helper is up. */
  readonly timeUp: Promise<undefined>;
}

/** Volumes of any other name that models lie in. */
export async function lookAtOtherVolumes(around: Surroundings): Promise<OtherVolume[]> {
  const { home } = around.context;
  const [engine, definition, containers, volumes, seen] = await Promise.all([
    around.engine(),
    around.definition(),
    around.ownContainers(),
    around.volumes(),
    readSeen(home),
  ]);
  // What a guard alone mounts is told with what lies in it: nothing here uses it.
  const users = containers.filter((one) => !isGuard(one));
  const ours = new Set(volumesOfStack({ definition, containers: users, volumes }));
  const timeUp = delay(patienceMs, undefined, { ref: false });
  const world: World = { around, engine, definition, containers, seen, timeUp };
  const found: OtherVolume[] = [];
  for (const volume of volumes) {
    if (ours.has(volume.name) || (await isFolderOfOurs(volume, home.ollama))) continue;
    const other = (await onDisk(volume, world)) ?? (await throughEngine(volume, world));
    if (other !== 'none') found.push(other);
  }
  return found;
}

/** Another name for the folder that our own volume is a name for. */
async function isFolderOfOurs(volume: VolumeSummary, ollama: string): Promise<boolean> {
  const folder = folderBehind(volume);
  if (folder === undefined) return false;
  const [one, other] = await Promise.all([folder, ollama].map((path) => realpath(path).catch(() => path)));
  return one === other;
}

/** Undefined where this user may not look into the folder. */
async function onDisk(volume: VolumeSummary, world: World): Promise<OtherVolume | 'none' | undefined> {
  if (volume.driver !== 'local') return undefined;
  // Options other than these mount something, a share say, at a place that is empty until a container runs.
  const folder = folderBehind(volume);
  if (folder === undefined && Object.keys(volume.options).length > 0) return undefined;
  try {
    const root = folder ?? volume.mountpoint;
    const models = await modelsFolderIn(root);
    if (models === undefined) return 'none';
    const sight = await sightOfFolder(models);
    const ours = await ifKnown(world.around.store());
    const compared = ours && compare(sight, ours);
    const isHere = compared?.here === sight.models.length;
    return {
      name: volume.name,
      bytes: bytesOf(sight),
      models: sight.models.length,
      here: compared?.here ?? null,
      missingBytes: compared?.missingBytes ?? null,
      taken: compared?.taken ?? [],
      broughtOver: false,
      onlyThere: ours && isHere ? await filesOnlyThere(root, ours, sight) : null,
      path: root,
      inEngine: isInEngine(volume),
      heldBy: await held(volume, world),
    };
  } catch (error) {
    if (error instanceof AixclError || systemCode(error) !== undefined) return undefined;
    throw error;
  }
}

/** By what is recorded of it; else, where its name or its mounts speak of models, by a look. */
async function throughEngine(volume: VolumeSummary, world: World): Promise<OtherVolume | 'none'> {
  const { around, engine, definition, containers, seen, timeUp } = world;
  const recorded = seen.get(volume.name)?.modelsSeen;
  const { home, signal } = around.context;
  let models = recorded;
  if (recorded === undefined && mayHoldModels(volume, world)) {
    const images = imagesAtHand(definition, { containers });
    models = await Promise.race([
      looksLikeModels(engine, volume, { home, images, signal }).catch(() => undefined),
      timeUp,
    ]);
    if (models !== undefined) await recordSeen(home, volume.name, models);
  }
  if (!models) return 'none';
  // Whoever mounts it may have put more into it since.
  const isIdle = !containers.some((container) => mountedVolumes(container).includes(volume.name));
  return {
    name: volume.name,
    bytes: null,
    models: null,
    here: null,
    missingBytes: null,
    taken: [],
    onlyThere: null,
    path: null,
    inEngine: isInEngine(volume),
    broughtOver: isIdle && (await placesBroughtOver(journalOf(around.context))).has(`volume ${volume.name}`),
    heldBy: await held(volume, world),
  };
}

function isInEngine({ driver, options }: VolumeSummary): boolean {
  return driver === 'local' && Object.keys(options).length === 0;
}

function mayHoldModels(volume: VolumeSummary, { definition, containers, seen }: World): boolean {
  if (/ollama|models/i.test(volume.name)) return true;
  return contentsOfVolume(volume.name, volume, { definition, containers, seen }) === 'models';
}

function held(volume: VolumeSummary, { containers }: World): Promise<string | null> {
  return holderOf({ host: hostFacts, containers }, volume.name, volume);
}
