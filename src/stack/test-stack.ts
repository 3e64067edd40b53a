import { composeLabels, labels } from '../labels.ts';
import { containerSpec } from './container-spec.ts';
import type {
  NetworkDefinition,
  ServiceDefinition,
  StackDefinition,
  VolumeDefinition,
} from './definition/types.ts';
import type { ContainerDetail, ContainerSummary, ImageDetail } from './engine.ts';
import type { HostFacts, PortHolder } from './observe.ts';

/** Builders for tests of the stack: definitions, and containers as an engine lists them. */

export const home = '/home/x/aixcl';

export function service(name: string, own: Partial<ServiceDefinition> = {}): ServiceDefinition {
  return {
    name,
    image: `${name}:1`,
    containerName: name,
    profiles: [],
    environment: new Map(),
    ports: [],
    mounts: [],
    networks: new Map([['default', { aliases: [] }]]),
    dependsOn: new Map(),
    labels: new Map(),
    groupAdd: [],
    extraHosts: [],
    capAdd: [],
    capDrop: [],
    securityOpt: [],
    devices: [],
    deviceRequests: [],
    ulimits: new Map(),
    resources: {},
    ...own,
  };
}

export function volume(key: string, own: Partial<VolumeDefinition> = {}): VolumeDefinition {
  return { key, name: key, external: false, driverOpts: new Map(), labels: new Map(), ...own };
}

/** A volume that is a name for `folder`. */
export function boundVolume(key: string, folder: string): VolumeDefinition {
  return volume(key, {
    driverOpts: new Map([
      ['type', 'none'],
      ['o', 'bind'],
      ['device', folder],
    ]),
  });
}

export function network(key: string, own: Partial<NetworkDefinition> = {}): NetworkDefinition {
  const name = `aixcl_${key}`;
  return {
    key,
    name,
    external: false,
    driverOpts: new Map(),
    labels: new Map(),
    internal: false,
    ipam: [],
    ...own,
  };
}

export function stack(
  services: readonly ServiceDefinition[],
  own: {
    readonly volumes?: readonly VolumeDefinition[];
    readonly networks?: readonly NetworkDefinition[];
  } = {},
): StackDefinition {
  return {
    project: 'aixcl',
    directory: '/services',
    files: ['/services/compose.yaml'],
    services: new Map(services.map((one) => [one.name, one])),
    volumes: new Map((own.volumes ?? []).map((one) => [one.key, one])),
    networks: new Map((own.networks ?? [network('default')]).map((one) => [one.key, one])),
    warnings: [],
  };
}

/** Id of the image that `reference` names on the imagined engine. */
export function imageIdOf(reference: string): string {
  return `sha256:${reference}`;
}

/** 64 hex digits that begin with `start`. */
export function containerId(start: string): string {
  return start.padEnd(64, '0');
}

let made = 0;

export function container(name: string, own: Partial<ContainerSummary> = {}): ContainerSummary {
  made += 1;
  return {
    id: containerId(`c${String(made).padStart(4, '0')}`),
    name,
    image: 'some:1',
    imageId: imageIdOf('some:1'),
    state: 'running',
    status: 'Up 2 minutes',
    health: 'none',
    labels: {},
    ports: [],
    mounts: [],
    created: 1_700_000_000,
    ...own,
  };
}

/** The container that aixcl makes of a service; `scripts` as in `SpecSurroundings`. */
export function ourContainer(
  definition: StackDefinition,
  one: ServiceDefinition,
  own: Partial<ContainerSummary> & { readonly scripts?: ReadonlyMap<string, string> } = {},
): ContainerSummary {
  const { scripts = new Map(), ...rest } = own;
  const imageId = imageIdOf(one.image);
  const spec = containerSpec(definition, one, { home, imageId, scripts });
  return container(one.containerName, {
    image: one.image,
    imageId,
    ...rest,
    labels: { ...spec.labels, ...rest.labels },
  });
}

/** The container that Compose makes of a service. */
export function composeContainer(
  definition: StackDefinition,
  one: ServiceDefinition,
  own: Partial<ContainerSummary> = {},
): ContainerSummary {
  return container(one.containerName, {
    image: one.image,
    imageId: imageIdOf(one.image),
    ...own,
    labels: {
      [composeLabels.project]: definition.project,
      [composeLabels.service]: one.name,
      [composeLabels.configHash]: 'of-compose',
      [composeLabels.oneoff]: 'False',
      ...own.labels,
    },
  });
}

/** The same, as a container that was made to replace `old`. */
export function replacing(old: ContainerSummary): Partial<ContainerSummary> {
  return {
    name: `${old.id.slice(0, 12)}_${old.name}`,
    state: 'created',
    status: 'Created',
    labels: { [labels.replaces]: old.id },
  };
}

export function detail(summary: ContainerSummary, own: Partial<ContainerDetail> = {}): ContainerDetail {
  return {
    ...summary,
    exitCode: 0,
    oomKilled: false,
    error: '',
    startedAt: '2026-01-01T00:00:00Z',
    restartCount: 0,
    restart: { name: 'no' },
    healthcheckTest: [],
    healthLog: [],
    hasTty: false,
    environment: new Map(),
    ...own,
  };
}

export function image(reference: string, id = imageIdOf(reference)): ImageDetail {
  return { id, tags: [reference], digests: [], labels: {}, size: 1000 };
}

export interface HostWorld {
  /** Content of a file, or what else lies there; a path that is not named is a folder. */
  readonly paths?: Readonly<Record<string, string>>;
  /** Folders that hold something. */
  readonly filled?: readonly string[];
  /** Hash of what every image is built from. */
  readonly built?: string;
  /** By `ip:port`. */
  readonly ports?: Readonly<Record<string, PortHolder>>;
}

export function hostOf({ paths = {}, filled = [], built, ports = {} }: HostWorld): HostFacts {
  return {
    async look(path) {
      const found = paths[path] ?? 'folder';
      if (found === 'missing' || found === 'folder' || found === 'other') return { kind: found };
      return { kind: 'file', content: found };
    },
    async holdsAnything(path) {
      return filled.includes(path);
    },
    async builtFrom() {
      return built;
    },
    async portHolder(hostIp, port) {
      return ports[`${hostIp}:${port}`];
    },
  };
}
