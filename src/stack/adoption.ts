import { AixclError } from '../errors.ts';
import type {
  MountDefinition,
  ServiceDefinition,
  StackDefinition,
  VolumeDefinition,
} from './definition/types.ts';
import type { ContainerSummary, MountSummary } from './engine.ts';
import { isOurs, type Match } from './recreate/container-ref.ts';

/** What a container that someone started by hand keeps its data in, where the definition names something else. */
export interface Adopted {
  readonly service: string;
  readonly mounts: readonly DataMount[];
  /** Volumes that the mounts name, by key: all external, for they were there before. */
  readonly volumes: readonly VolumeDefinition[];
}

type DataMount = Extract<MountDefinition, { kind: 'bind' | 'volume' }>;

export interface AdoptionWorld {
  readonly matchesOf: (service: ServiceDefinition) => readonly Match[];
  /** Whether a host path is a folder; a script that the definition mounts is none. */
  readonly isFolder: (path: string) => boolean;
}

/** What all containers that stand under our names unlabelled keep their data in. Throws `refused` where that can't be kept. */
export function adoptions(
  definition: StackDefinition,
  services: readonly ServiceDefinition[],
  world: AdoptionWorld,
): Adopted[] {
  return services.flatMap((service) => {
    const [match, ...more] = world.matchesOf(service);
    if (!match || more.length > 0 || isOurs(match)) return [];
    return adoptedData(definition, service, match.container, world.isFolder) ?? [];
  });
}

function adoptedData(
  definition: StackDefinition,
  service: ServiceDefinition,
  old: ContainerSummary,
  isFolder: AdoptionWorld['isFolder'],
): Adopted | undefined {
  const mounts = old.mounts.flatMap((mount): DataMount[] => {
    const kept = dataMount(mount);
    if (!kept) return [];
    const ours = service.mounts.find(({ target }) => target === mount.target);
    if (ours?.kind === 'bind') {
      const same = kept.kind === 'bind' && kept.source === ours.source;
      if (!same && isFolder(ours.source)) throw keptElsewhere(service, old, kept, ours.source);
      return [];
    }
    const sameVolume = kept.kind === 'volume' && ours?.kind === 'volume' && ours.source !== undefined;
    return sameVolume && definition.volumes.get(ours.source)?.name === kept.source ? [] : [kept];
  });
  if (mounts.length === 0) return undefined;
  const volumes = mounts.flatMap((mount): VolumeDefinition[] =>
    mount.kind === 'volume' && mount.source
      ? [{ key: mount.source, name: mount.source, external: true, driverOpts: new Map(), labels: new Map() }]
      : [],
  );
  return { service: service.name, mounts, volumes };
}

function dataMount({ kind, name, source, target, readOnly = false }: MountSummary): DataMount | undefined {
  if (kind === 'volume' && name) return { kind, source: name, target, readOnly, noCopy: false };
  if (kind === 'bind' && source) return { kind, source, target, readOnly, createSource: false };
  return undefined;
}

/** The definition keeps this in a folder of its own, which aixcl works in too: another one can't just be mounted in its place. */
function keptElsewhere(
  service: ServiceDefinition,
  old: ContainerSummary,
  kept: DataMount,
  ours: string,
): AixclError {
  const what = kept.kind === 'volume' ? `the volume ${kept.source}` : kept.source;
  const way =
    kept.kind === 'bind' && kept.target === '/models'
      ? `Use that folder: AIXCL_MODELS_DIR=${kept.source} aixcl stack start --adopt`
      : `Copy it (docker cp ${old.name}:${kept.target}/. ${ours}/), then: docker rename ${old.name} ${old.name}-mine && aixcl stack start`;
  return new AixclError(
    'refused',
    `${old.name} keeps ${kept.target} in ${what}, and ${service.name} keeps it in ${ours}`,
    { hint: way },
  );
}

/** The definition with what was adopted in place of what it names. */
export function withAdoptedData(definition: StackDefinition, adopted: readonly Adopted[]): StackDefinition {
  const services = new Map(definition.services);
  const volumes = new Map(definition.volumes);
  for (const { service: name, mounts, volumes: own } of adopted) {
    const service = services.get(name);
    if (!service) continue;
    const targets = new Set(mounts.map(({ target }) => target));
    const others = service.mounts.filter(({ target }) => !targets.has(target));
    services.set(name, { ...service, mounts: [...others, ...mounts] });
    for (const volume of own) volumes.set(volume.key, volume);
  }
  return { ...definition, services, volumes };
}
