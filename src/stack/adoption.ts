import { isOurs, type Match } from './container-ref.ts';
import type {
  MountDefinition,
  ServiceDefinition,
  StackDefinition,
  VolumeDefinition,
} from './definition/types.ts';
import type { ContainerSummary } from './engine.ts';

/** What a container that someone started by hand keeps its data in, where the definition names something else. */
export interface Adopted {
  readonly service: string;
  readonly mounts: readonly Extract<MountDefinition, { kind: 'bind' | 'volume' }>[];
  /** Volumes that the mounts name, by key: all external, for they were there before. */
  readonly volumes: readonly VolumeDefinition[];
}

/**
 * The volumes and folders that `--adopt` keeps: each that lies where the definition mounts a volume, and each at a place that the
 * definition does not use. Where the definition binds a folder or a script of its own (`/models`), that one stands.
 */
export function adoptedData(
  definition: StackDefinition,
  service: ServiceDefinition,
  old: ContainerSummary,
): Adopted | undefined {
  const mounts = old.mounts.flatMap((mount): Adopted['mounts'][number][] => {
    const ours = service.mounts.find(({ target }) => target === mount.target);
    if (ours && ours.kind !== 'volume') return [];
    if (mount.kind === 'volume' && mount.name) {
      const sameName = ours?.source !== undefined && definition.volumes.get(ours.source)?.name === mount.name;
      return sameName
        ? []
        : [{ kind: 'volume', source: mount.name, target: mount.target, readOnly: false, noCopy: false }];
    }
    if (mount.kind === 'bind' && mount.source) {
      return [
        { kind: 'bind', source: mount.source, target: mount.target, readOnly: false, createSource: false },
      ];
    }
    return [];
  });
  if (mounts.length === 0) return undefined;
  const volumes = mounts.flatMap((mount): VolumeDefinition[] =>
    mount.kind === 'volume' && mount.source
      ? [{ key: mount.source, name: mount.source, external: true, driverOpts: new Map(), labels: new Map() }]
      : [],
  );
  return { service: service.name, mounts, volumes };
}

/** What all containers that stand under our names unlabelled keep their data in. */
export function adoptions(
  definition: StackDefinition,
  services: readonly ServiceDefinition[],
  matchesOf: (service: ServiceDefinition) => readonly Match[],
): Adopted[] {
  return services.flatMap((service) => {
    const [match, ...more] = matchesOf(service);
    if (!match || more.length > 0 || isOurs(match)) return [];
    return adoptedData(definition, service, match.container) ?? [];
  });
}
