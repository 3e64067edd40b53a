import { composeLabels } from '../../labels.ts';
import { isHelper } from '../bare-container.ts';
import type { ServiceDefinition, StackDefinition, VolumeDefinition } from '../definition/types.ts';
import type { ContainerSummary, VolumeSummary } from '../engine.ts';
import { boundFolder, folderBehind, type HostFacts, keepsItsPlace, usedVolumes } from '../observe.ts';
import { guardHolding, isGuard, mountedVolumes } from './guard.ts';
import { contentsOfVolume, type VolumeContents, type VolumeSurroundings } from './volume-contents.ts';

export interface VolumeStatus {
  readonly name: string;
  /** What is `unknown` counts as precious. */
  readonly holds: VolumeContents;
  /**
   * What keeps its bytes from a clean-up: `folder PATH`, `guard NAME`, or `running container NAME`, which holds no longer than it runs. Null:
   * nothing does.
   */
  readonly heldBy: string | null;
  readonly exists: boolean;
  /** It was there before, for the definition says external, and is there no more. */
  readonly gone: boolean;
  /** Folder that the volume on the engine is a name for, while that is not there; null of any other volume. */
  readonly lostFolder: string | null;
  /** Folder that the definition has behind it and that holds files, while the volume on the engine lies elsewhere and hides them. */
  readonly hides: string | null;
  readonly lastBackup: string | null;
}

export interface VolumeWorld extends VolumeSurroundings {
  readonly host: HostFacts;
  /** Every volume on the engine. */
  readonly volumes: readonly VolumeSummary[];
}

/**
 * Volumes that these services mount; with `others` also every other of the definition that is on the engine, whoever mounts it, and those
 * that containers of this stack mount or a guard holds though the definition no longer names them.
 */
export async function volumeStatuses(
  world: VolumeWorld,
  services: readonly ServiceDefinition[],
  { others = false }: { readonly others?: boolean } = {},
): Promise<VolumeStatus[]> {
  const { definition } = world;
  const defined = new Map([...definition.volumes.values()].map((volume) => [volume.name, volume]));
  const names = new Set([
    ...usedVolumes(definition, services).map(({ name }) => name),
    ...(others ? volumesOfStack(world) : []),
  ]);
  return Promise.all(
    [...names].map(async (name) => {
      const found = world.volumes.find((volume) => volume.name === name);
      const [heldBy, hides] = await Promise.all([
        holderOf(world, name, found, defined.get(name)),
        hiddenFolder(world, found, defined.get(name)),
      ]);
      return {
        name,
        holds: contentsOfVolume(name, found, world),
        heldBy,
        exists: found !== undefined,
        gone: found === undefined && defined.get(name)?.external === true,
        lostFolder: (heldBy === null && found && folderBehind(found)) || null,
        hides,
        lastBackup: null,
      };
    }),
  );
}

/** Names of the volumes on the engine that are this stack's, or were when a container that is there was made. */
export function volumesOfStack({
  definition,
  containers,
  volumes,
}: Pick<VolumeWorld, 'definition' | 'containers' | 'volumes'>): string[] {
  const there = new Set(volumes.map(({ name }) => name));
  const mounted = containers.filter((one) => isOfStack(definition, one)).flatMap(mountedVolumes);
  const names = [...[...definition.volumes.values()].map(({ name }) => name), ...mounted];
  return [...new Set(names)].filter((name) => there.has(name));
}

function isOfStack({ project }: StackDefinition, container: ContainerSummary): boolean {
  if (isHelper(container)) return false;
  return isGuard(container) || container.labels[composeLabels.project] === project;
}

/** A folder of this machine keeps its files whatever an engine removes; a running container keeps its volume from being removed. */
export async function holderOf(
  { host, containers }: Pick<VolumeWorld, 'host' | 'containers'>,
  name: string,
  found: VolumeSummary | undefined,
  defined?: VolumeDefinition,
): Promise<string | null> {
  const folder = found ? folderBehind(found) : defined && boundFolder(defined.driverOpts);
  if (folder) return (await host.look(folder)).kind === 'folder' ? `folder ${folder}` : null;
  const guard = guardHolding(containers, name);
  if (guard) return `guard ${guard.name}`;
  const user = containers.find((one) => one.state === 'running' && mountedVolumes(one).includes(name));
  return user ? `running container ${user.name}` : null;
}

async function hiddenFolder(
  { host }: Pick<VolumeWorld, 'host'>,
  found: VolumeSummary | undefined,
  defined: VolumeDefinition | undefined,
): Promise<string | null> {
  const folder = defined && keepsItsPlace(defined, found) ? boundFolder(defined.driverOpts) : undefined;
  return folder !== undefined && (await host.holdsAnything(folder)) ? folder : null;
}

/** Whether something stands between the volume and a clean-up, also once the stack is stopped. */
export function isHeldFast(heldBy: string | null): boolean {
  return heldBy !== null && !heldBy.startsWith('running container ');
}
