import { posix } from 'node:path';
import { labels } from '../../labels.ts';
import type { ServiceDefinition, StackDefinition } from '../definition/types.ts';
import type { ContainerSummary, VolumeSummary } from '../engine.ts';

/** What a volume holds. What nobody knows is as precious as models. */
export type VolumeContents = 'models' | 'state' | 'disposable' | 'unknown';

/** All that tells what a volume holds. */
export interface ContentsEvidence {
  /** The label `io.aixcl.holds`: of its definition first, then of the volume itself. */
  readonly labels: readonly (string | undefined)[];
  /** True where a container, running or not, or a service mounts it at a path where an Ollama keeps its models. */
  readonly atModelsPath: boolean;
  /** True when `models/manifests` beside `models/blobs` was seen in it. Undefined: nobody looked. */
  readonly modelsSeen: boolean | undefined;
}

/** Volumes that were looked into, by name. */
export type SeenVolumes = ReadonlyMap<string, SeenVolume>;

export interface SeenVolume {
  readonly modelsSeen: boolean;
  /** ISO 8601 UTC. */
  readonly at: string;
}

/** Models that were seen, or whose place it is, count more than any label; a label that says nothing known counts for nothing. */
export function contentsOf({ labels: said, atModelsPath, modelsSeen }: ContentsEvidence): VolumeContents {
  if (modelsSeen || atModelsPath) return 'models';
  return said.find(isContents) ?? 'unknown';
}

function isContents(label: string | undefined): label is VolumeContents {
  return label === 'models' || label === 'state' || label === 'disposable';
}

/** What is known of the volumes of an engine without looking into them. */
export interface VolumeSurroundings {
  readonly definition: StackDefinition;
  /** Every container on the engine. */
  readonly containers: readonly ContainerSummary[];
  readonly seen: SeenVolumes;
}

/** `found`: as the engine has it; undefined where it is not there yet. */
export function contentsOfVolume(
  name: string,
  found: VolumeSummary | undefined,
  { definition, containers, seen }: VolumeSurroundings,
): VolumeContents {
  const defined = [...definition.volumes.values()].filter((volume) => volume.name === name);
  return contentsOf({
    labels: [...defined.map((volume) => volume.labels.get(labels.holds)), found?.labels[labels.holds]],
    atModelsPath:
      containers.some(({ mounts }) =>
        mounts.some((mount) => mount.kind === 'volume' && mount.name === name && usual.test(mount.target)),
      ) || [...definition.services.values()].some((service) => keepsModelsIn(definition, service, name)),
    modelsSeen: seen.get(name)?.modelsSeen,
  });
}

/** Where an Ollama keeps its models that nothing told otherwise: below `.ollama` of whoever runs it. */
const usual = /(^|\/)\.ollama(\/models(\/.*)?)?\/?$/;

function keepsModelsIn(definition: StackDefinition, service: ServiceDefinition, name: string): boolean {
  const models = ollamaModelsPath(service.environment);
  return service.mounts.some(
    (mount) =>
      mount.kind === 'volume' &&
      mount.source !== undefined &&
      definition.volumes.get(mount.source)?.name === name &&
      (usual.test(mount.target) || holds(mount.target, models) || holds(models, mount.target)),
  );
}

/** Whether `path` is that folder, or lies in it. */
export function holds(folder: string, path: string): boolean {
  const way = posix.relative(folder, path);
  return way !== '..' && !way.startsWith('../');
}

/** Where an Ollama with this environment keeps its models, as envconfig.Models() of ollama/ollama. */
export function ollamaModelsPath(environment: ReadonlyMap<string, string | null>): string {
  return environment.get('OLLAMA_MODELS') || posix.join(environment.get('HOME') || '/root', '.ollama/models');
}
