import { createHash } from 'node:crypto';
import { composeLabels, labels } from '../labels.ts';
import type { MountDefinition, ServiceDefinition, StackDefinition } from './definition/types.ts';
import type { ContainerSpec, MountSpec } from './engine.ts';

/** What stands on this engine and goes into a container besides its definition. */
export interface SpecSurroundings {
  readonly home: string;
  /** Id (`sha256:…`) of the image that the reference names here; undefined while it has yet to be pulled. */
  readonly imageId: string | undefined;
  /** Content of each file that is mounted read-only, by host path. */
  readonly scripts: ReadonlyMap<string, string>;
}

/** The container that a service's definition asks for. `networkMode: service:X` still names the service. */
export function containerSpec(
  definition: StackDefinition,
  service: ServiceDefinition,
  around: SpecSurroundings,
): ContainerSpec {
  const {
    name,
    build: _,
    pullPolicy: _pull,
    containerName: _container,
    profiles: _profiles,
    dependsOn: _needs,
    ...made
  } = service;
  return {
    ...made,
    labels: containerLabels(definition, service, around),
    mounts: service.mounts.map((mount) => mountSpec(definition, mount)),
    // By name, as Compose joins them.
    networks: [...service.networks]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, attachment]) => ({
        ...attachment,
        name: networkName(definition, key),
        aliases: [...new Set([name, ...attachment.aliases])],
      })),
  };
}

function mountSpec(definition: StackDefinition, mount: MountDefinition): MountSpec {
  if (mount.kind !== 'volume') return mount;
  const { source, ...rest } = mount;
  return source === undefined ? rest : { ...rest, name: definition.volumes.get(source)?.name ?? source };
}

function networkName(definition: StackDefinition, key: string): string {
  return definition.networks.get(key)?.name ?? key;
}

function containerLabels(
  definition: StackDefinition,
  service: ServiceDefinition,
  around: SpecSurroundings,
): Record<string, string> {
  return {
    ...Object.fromEntries(service.labels),
    [composeLabels.project]: definition.project,
    [composeLabels.service]: service.name,
    [composeLabels.containerNumber]: '1',
    [composeLabels.oneoff]: 'False',
    [composeLabels.workingDir]: definition.directory,
    [composeLabels.configFiles]: definition.files.join(','),
    [composeLabels.dependsOn]: [...service.dependsOn]
      .map(([name, { condition, restart }]) => `${name}:${condition}:${restart}`)
      .join(','),
    [labels.home]: around.home,
    [labels.image]: service.image,
    ...(around.imageId && hashLabels(definition, service, around.imageId, around.scripts)),
  };
}

function hashLabels(
  definition: StackDefinition,
  service: ServiceDefinition,
  imageId: string,
  scripts: ReadonlyMap<string, string>,
): Record<string, string> {
  const hash = configHash(definition, service, imageId, scripts);
  return { [labels.hash]: hash, [composeLabels.configHash]: hash, [composeLabels.image]: imageId };
}

/**
 * Hash of all that a container is made from: its definition, the image's id and the content of mounted files (a file bind mount keeps
 * the old inode when the file is replaced, so a changed script needs a new container). Left out: labels, and what is not part of a
 * container (image reference, build, profiles, dependencies, pull policy, name).
 */
export function configHash(
  definition: StackDefinition,
  service: ServiceDefinition,
  imageId: string,
  scripts: ReadonlyMap<string, string>,
): string {
  const spec = containerSpec(definition, service, { home: '', imageId: undefined, scripts });
  const { labels: _labels, image: _image, ...made } = spec;
  const mounted = spec.mounts.flatMap((mount) =>
    mount.kind === 'bind' ? (scripts.get(mount.source) ?? []) : [],
  );
  return createHash('sha256').update(canonical({ made, imageId, mounted })).digest('hex');
}

/** JSON with sorted keys, in which maps are objects and undefined values are absent. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    const plain = inner instanceof Map ? Object.fromEntries(inner) : inner;
    if (plain === null || typeof plain !== 'object' || Array.isArray(plain)) return plain;
    return Object.fromEntries(Object.entries(plain).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
