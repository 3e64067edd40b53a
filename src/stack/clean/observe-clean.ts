import { composeLabels, labels } from '../../labels.ts';
import type { StackDefinition } from '../definition/types.ts';
import type { ContainerSummary, Engine, ImageDetail, NetworkSummary, VolumeSummary } from '../engine.ts';
import { folderBehind } from '../observe.ts';
import { guardsOf, mountedVolumes } from '../volumes/guard.ts';
import { ollamaModelsPath, type VolumeContents } from '../volumes/volume-contents.ts';

/** What `stack clean` decides by. */
export interface ObservedClean {
  readonly definition: StackDefinition;
  /** AIXCL_HOME. */
  readonly home: string;
  /** Every container on the engine. */
  readonly containers: readonly ContainerSummary[];
  readonly networks: readonly NetworkSummary[];
  /** Images without a name. */
  readonly images: readonly ImageDetail[];
  readonly volumes: readonly VolumeSummary[];
  /** Of those that are ours, or of the definition. */
  readonly contents: ReadonlyMap<string, VolumeContents>;
  /** Bytes, by the name of a volume and the id of a container, where they are known. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Where containers of ours keep models in their own layer, by id: no mount holds them. */
  readonly layerModels: ReadonlyMap<string, string>;
  /** What was looked into because it is asked for by name. */
  readonly asked: ReadonlyMap<string, AskedVolume>;
  /** Images that are here and that a guard may run on: references or ids, the likeliest first. */
  readonly guardImages: readonly string[];
}

/** A volume that is to go although it holds something. */
export interface AskedVolume {
  /** Bytes that go into the vault. */
  readonly size: number;
  readonly files: number;
  /** True: the vault takes the files over; false: they are copied. */
  readonly linked: boolean;
  /** What goes into no backup, and why. */
  readonly leftOut: readonly { readonly path: string; readonly why: string }[];
  /** The folder that it is a name for, in which what is left out stays. */
  readonly folder: string | undefined;
  /** Why it can't be saved. */
  readonly held: string | null;
}

export interface Project {
  readonly project: string;
  readonly home: string;
}

/** By label, and by no part of a name: of this project, and of no other home. */
export function isOfProject(own: Readonly<Record<string, string>>, { project, home }: Project): boolean {
  return own[composeLabels.project] === project && (own[labels.home] ?? home) === home;
}

/** A volume need not be of this project: one that was there before, and is declared external, carries the home alone. */
export function isOwnVolume({ labels: own }: VolumeSummary, place: Project): boolean {
  return own[labels.home] === place.home || isOfProject(own, place);
}

function isDefined({ name }: VolumeSummary, definition: StackDefinition): boolean {
  return [...definition.volumes.values()].some((volume) => volume.name === name);
}

/**
 * Ours to speak of: by label, or by the definition where no other home has a claim to it. So is what a container of the project mounts, also
 * without a name, and what a guard of ours holds: the definition named it once.
 */
export function concernsUs(
  volume: VolumeSummary,
  { definition, home, containers }: Pick<ObservedClean, 'definition' | 'home' | 'containers'>,
): boolean {
  const place = { project: definition.project, home };
  if (isOwnVolume(volume, place)) return true;
  if ((volume.labels[labels.home] ?? home) !== home) return false;
  const users = [
    ...guardsOf(containers, home),
    ...containers.filter((one) => isOfProject(one.labels, place)),
  ];
  return users.some((one) => mountedVolumes(one).includes(volume.name)) || isDefined(volume, definition);
}

/** Containers of the project whose own layer holds models of an Ollama: gone with the container, as nothing is mounted there. */
export async function modelsInLayers(
  engine: Engine,
  containers: readonly ContainerSummary[],
): Promise<Map<string, string>> {
  const found = await Promise.all(
    containers.map(async ({ id, mounts }) => {
      const environment = (await engine.inspectContainer(id))?.environment ?? new Map<string, string>();
      const models = ollamaModelsPath(environment);
      if (mounts.some(({ target }) => target === models || models.startsWith(`${target}/`))) return undefined;
      const [manifests, blobs] = await Promise.all(
        ['manifests', 'blobs'].map((folder) => engine.statPath(id, `${models}/${folder}`)),
      );
      return manifests?.kind === 'folder' && blobs ? ([id, models] as const) : undefined;
    }),
  );
  return new Map(found.filter((each) => each !== undefined));
}

/** Who mounts a volume, or the folder that it is a name for. */
export function usersOf(volume: VolumeSummary, containers: readonly ContainerSummary[]): ContainerSummary[] {
  const folder = folderBehind(volume);
  return containers.filter(({ mounts }) =>
    mounts.some((mount) =>
      mount.kind === 'volume' ? mount.name === volume.name : folder !== undefined && mount.source === folder,
    ),
  );
}
