import { labels } from '../labels.ts';
import { basesOf } from './build-bases.ts';
import type {
  BuildDefinition,
  ServiceDefinition,
  StackDefinition,
  VolumeDefinition,
} from './definition/types.ts';
import type { ContainerSummary, Engine, ImageDetail, NetworkSummary, VolumeSummary } from './engine.ts';
import { type Match, matches } from './recreate/container-ref.ts';

/** Facts about this machine that a plan needs. */
export interface HostFacts {
  /** What is at `path`. `content` changes when that of the file does. */
  look(
    path: string,
  ): Promise<
    { readonly kind: 'file'; readonly content: string } | { readonly kind: 'folder' | 'other' | 'missing' }
  >;
  /** False for a folder that is empty or not there; true also for one that can't be read. */
  holdsAnything(path: string): Promise<boolean>;
  /** A hash (`sha256:…`) of what an image is built from; undefined where that is not to be had, or too large to be read. */
  builtFrom(build: BuildDefinition): Promise<string | undefined>;
  /** Who holds a TCP port that can't be listened on; undefined when it is free. */
  portHolder(hostIp: string, port: number): Promise<PortHolder | undefined>;
}

export interface PortHolder {
  /** Process name and id where this user may see them. */
  readonly process?: string;
  /** Who started that process, as far as it is known: process 1 where that one is gone. */
  readonly parent?: { readonly pid: number; readonly name: string };
}

/** All that a decision about the stack needs, read in one go. */
export interface Observed {
  /** Every container on the engine. */
  readonly containers: readonly ContainerSummary[];
  readonly services: ReadonlyMap<string, ObservedService>;
  /** By reference, of services and of what their builds stand on; undefined when it is not here. */
  readonly images: ReadonlyMap<string, ImageDetail | undefined>;
  /** References of images here that were built by aixcl, from something else than what is there to build from now. */
  readonly outdated: ReadonlySet<string>;
  /** By name on the engine. */
  readonly networks: ReadonlyMap<string, NetworkSummary | undefined>;
  readonly volumes: ReadonlyMap<string, VolumeSummary | undefined>;
  /** Bind sources and folders behind volumes, by host path. */
  readonly paths: ReadonlyMap<string, 'file' | 'folder' | 'other' | 'missing'>;
  /** Folders that the definition has behind a volume, and that hold something, where the volume that is there is no name for one. */
  readonly bypassed: ReadonlySet<string>;
  /** What the files among them hold that are mounted read-only, as `look` says it. A service may write into any other. */
  readonly scripts: ReadonlyMap<string, string>;
  /** Holders of host ports that the services publish and that no container of theirs publishes now, by `ip:port`. */
  readonly takenPorts: ReadonlyMap<string, PortHolder>;
}

export interface ObservedService {
  readonly definition: ServiceDefinition;
  readonly matches: readonly Match[];
}

export async function observe(
  engine: Engine,
  host: HostFacts,
  definition: StackDefinition,
  services: readonly ServiceDefinition[],
): Promise<Observed> {
  const networkNames = new Set(
    services.flatMap((service) =>
      [...service.networks.keys()].map((key) => definition.networks.get(key)?.name ?? key),
    ),
  );
  const volumeNames = new Set(usedVolumes(definition, services).map((volume) => volume.name));
  const references = new Set(
    services.flatMap(({ image, build }) => [image, ...(build ? basesOf(build) : [])]),
  );
  const [containers, images, networks, volumes, looked] = await Promise.all([
    engine.listContainers(),
    lookUp(references, (reference) => engine.inspectImage(reference)),
    lookUp(networkNames, (name) => engine.inspectNetwork(name)),
    lookUp(volumeNames, (name) => engine.inspectVolume(name)),
    lookUp(neededPaths(definition, services), (path) => host.look(path)),
  ]);
  const scripts = new Set(
    services.flatMap(({ mounts }) =>
      mounts.flatMap((mount) => (mount.kind === 'bind' && mount.readOnly ? mount.source : [])),
    ),
  );
  const found = new Map(
    services.map((service) => [
      service.name,
      { definition: service, matches: matches(identityOf(definition, service), containers) },
    ]),
  );
  return {
    containers,
    services: found,
    images,
    outdated: await outdatedBuilds(host, services, images),
    networks,
    volumes,
    paths: new Map([...looked].map(([path, look]) => [path, look.kind])),
    scripts: new Map(
      [...looked].flatMap(([path, look]) =>
        look.kind === 'file' && scripts.has(path) ? [[path, look.content] as const] : [],
      ),
    ),
    bypassed: await bypassedFolders(host, usedVolumes(definition, services), volumes),
    takenPorts: await takenPorts(host, services, containers),
  };
}

export function identityOf(definition: StackDefinition, service: ServiceDefinition) {
  return { project: definition.project, service: service.name, containerName: service.containerName };
}

/** Definitions of the named volumes that these services mount. */
export function usedVolumes(definition: StackDefinition, services: readonly ServiceDefinition[]) {
  const keys = new Set(
    services.flatMap((service) =>
      service.mounts.flatMap((mount) => (mount.kind === 'volume' && mount.source ? [mount.source] : [])),
    ),
  );
  return [...keys].flatMap((key) => definition.volumes.get(key) ?? []);
}

/** The host folder that options make a volume a name for, if they do (`type: none`, `o: bind`). */
export function boundFolder(
  options: ReadonlyMap<string, string> | Readonly<Record<string, string>>,
): string | undefined {
  const get = (key: string) =>
    options instanceof Map ? options.get(key) : (options as Record<string, string>)[key];
  return get('o')?.split(',').includes('bind') ? get('device') : undefined;
}

/** The host folder that a volume on the engine is a name for, if it is one: what another driver calls a device is none. */
export function folderBehind({
  driver,
  options,
}: Pick<VolumeSummary, 'driver' | 'options'>): string | undefined {
  return driver === 'local' ? boundFolder(options) : undefined;
}

/** Whether the volume that is there keeps its bytes elsewhere than in a folder, though the definition would make a name for one. */
export function keepsItsPlace(volume: VolumeDefinition, found: VolumeSummary | undefined): boolean {
  return (
    found !== undefined &&
    !volume.external &&
    boundFolder(volume.driverOpts) !== undefined &&
    folderBehind(found) === undefined
  );
}

/** Of an image that says nothing of it (Compose built it, say) nobody knows. */
async function outdatedBuilds(
  host: HostFacts,
  services: readonly ServiceDefinition[],
  images: Observed['images'],
): Promise<Set<string>> {
  const outdated = services.map(async ({ image, build }) => {
    const recorded = images.get(image)?.labels[labels.built];
    if (!build || !recorded?.startsWith('sha256:')) return [];
    const now = await host.builtFrom(build);
    return now === undefined || now === recorded ? [] : image;
  });
  return new Set((await Promise.all(outdated)).flat());
}

async function bypassedFolders(
  host: HostFacts,
  defined: readonly VolumeDefinition[],
  found: Observed['volumes'],
): Promise<Set<string>> {
  const folders = defined.flatMap((volume) =>
    keepsItsPlace(volume, found.get(volume.name)) ? (boundFolder(volume.driverOpts) ?? []) : [],
  );
  const filled = await Promise.all(folders.map((folder) => host.holdsAnything(folder)));
  return new Set(folders.filter((_, index) => filled[index]));
}

function neededPaths(definition: StackDefinition, services: readonly ServiceDefinition[]): Set<string> {
  const binds = services.flatMap((service) =>
    service.mounts.flatMap((mount) => (mount.kind === 'bind' ? mount.source : [])),
  );
  const folders = usedVolumes(definition, services).flatMap((volume) => boundFolder(volume.driverOpts) ?? []);
  return new Set([...binds, ...folders]);
}

/** Of the ports that these services publish, those that somebody holds who is no running container here, by `ip:port`. */
export async function takenPorts(
  host: HostFacts,
  services: readonly ServiceDefinition[],
  containers: readonly ContainerSummary[],
): Promise<Map<string, PortHolder>> {
  const published = new Set(
    containers.flatMap((container) =>
      holdsPorts(container) ? container.ports.map((port) => port.published) : [],
    ),
  );
  const wanted = services.flatMap((service) =>
    service.ports.flatMap((port) => {
      const number = Number(port.published);
      return port.protocol === 'tcp' && Number.isInteger(number) && number > 0 && !published.has(number)
        ? [{ hostIp: port.hostIp ?? '', number }]
        : [];
    }),
  );
  const held = await Promise.all(
    wanted.map(
      async ({ hostIp, number }) => [portKey(hostIp, number), await host.portHolder(hostIp, number)] as const,
    ),
  );
  return new Map(held.flatMap(([key, holder]) => (holder ? [[key, holder] as const] : [])));
}

/** Whether its ports are taken: a paused container keeps them. */
export function holdsPorts({ state }: ContainerSummary): boolean {
  return state === 'running' || state === 'paused';
}

export function portKey(hostIp: string, port: number): string {
  return `${hostIp || '0.0.0.0'}:${port}`;
}

async function lookUp<V>(
  keys: ReadonlySet<string>,
  find: (key: string) => Promise<V>,
): Promise<Map<string, V>> {
  return new Map(await Promise.all([...keys].map(async (key) => [key, await find(key)] as const)));
}
