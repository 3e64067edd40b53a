import type Docker from 'dockerode';
import type { RestartPolicy } from '../../stack/definition/types.ts';
import type {
  ContainerDetail,
  ContainerState,
  ContainerSummary,
  EngineInfo,
  Health,
  ImageDetail,
  MountSummary,
  PublishedPort,
  VolumeSummary,
} from '../../stack/engine.ts';

interface RawInfo {
  readonly ServerVersion: string;
  readonly OperatingSystem: string;
  readonly Runtimes?: Readonly<Record<string, unknown>>;
  readonly DockerRootDir: string;
  readonly SecurityOptions?: readonly string[];
  readonly DiscoveredDevices?: readonly { readonly ID?: string }[];
}

export function toInfo(raw: RawInfo, apiVersion: string): EngineInfo {
  return {
    version: raw.ServerVersion,
    apiVersion,
    operatingSystem: raw.OperatingSystem,
    runtimes: Object.keys(raw.Runtimes ?? {}),
    cdiDevices: (raw.DiscoveredDevices ?? []).flatMap(({ ID }) => ID ?? []),
    dataRoot: raw.DockerRootDir,
    rootless: (raw.SecurityOptions ?? []).some((option) => option.includes('rootless')),
  };
}

/** From the engine's JSON to the port's types. */
export function toSummary(raw: Docker.ContainerInfo): ContainerSummary {
  return {
    id: raw.Id,
    name: ownName(raw.Names),
    image: raw.Image,
    imageId: raw.ImageID,
    state: raw.State as ContainerState,
    status: raw.Status,
    health: healthOfStatus(raw.Status),
    labels: raw.Labels ?? {},
    ports: publishedPorts(raw.Ports ?? []),
    mounts: (raw.Mounts ?? []).map(toMount),
    ...(raw.HostConfig?.NetworkMode && { networkMode: raw.HostConfig.NetworkMode }),
    networks: Object.keys(raw.NetworkSettings?.Networks ?? {}),
    created: raw.Created,
  };
}

interface RawMount {
  readonly Type?: string;
  readonly Name?: string | undefined;
  readonly Source?: string;
  readonly Destination: string;
  readonly RW: boolean;
}

function toMount(mount: RawMount): MountSummary {
  return {
    kind: mount.Type ?? 'bind',
    ...(mount.Name && { name: mount.Name }),
    ...(mount.Source && { source: mount.Source }),
    target: mount.Destination,
    ...(!mount.RW && { readOnly: true }),
  };
}

/** `Names` also holds `/OTHER/ALIAS` for links of old; a container's own name has one slash. */
function ownName(names: readonly string[] | undefined): string {
  const own = (names ?? []).find((name) => name.lastIndexOf('/') === 0) ?? names?.[0] ?? '';
  return own.replace(/^\//, '');
}

/** A list gives health only inside the words of `Status`: `Up 2 minutes (healthy)`, `Up 1 second (health: starting)`. */
function healthOfStatus(status: string): Health {
  const word = /\((?:health: )?(healthy|unhealthy|starting)\)/.exec(status)?.[1];
  return (word as Health | undefined) ?? 'none';
}

function publishedPorts(ports: readonly Docker.Port[]): PublishedPort[] {
  return ports
    .filter((port) => port.PublicPort)
    .map((port) => ({
      hostIp: port.IP ?? '',
      published: port.PublicPort,
      target: port.PrivatePort,
      protocol: port.Type,
    }));
}

export function toDetail(raw: Docker.ContainerInspectInfo): ContainerDetail {
  const health = raw.State.Health;
  const bindings = Object.entries(raw.NetworkSettings.Ports ?? {}).flatMap(([target, hosts]) => {
    const [port = '', protocol = 'tcp'] = target.split('/');
    return (hosts ?? []).map((host) => ({
      hostIp: host.HostIp,
      published: Number(host.HostPort),
      target: Number(port),
      protocol,
    }));
  });
  return {
    id: raw.Id,
    name: raw.Name.replace(/^\//, ''),
    image: raw.Config.Image,
    imageId: raw.Image,
    state: raw.State.Status as ContainerState,
    status: raw.State.Status,
    health: healthWord(health?.Status),
    labels: raw.Config.Labels ?? {},
    ports: bindings,
    mounts: raw.Mounts.map(toMount),
    ...(raw.HostConfig.NetworkMode && { networkMode: raw.HostConfig.NetworkMode }),
    networks: Object.keys(raw.NetworkSettings.Networks ?? {}),
    created: Math.floor(Date.parse(raw.Created) / 1000),
    exitCode: raw.State.ExitCode,
    oomKilled: raw.State.OOMKilled,
    error: raw.State.Error,
    startedAt: raw.State.StartedAt,
    restartCount: raw.RestartCount,
    restart: toRestartPolicy(raw.HostConfig.RestartPolicy),
    healthcheckTest: testOf(raw.Config.Healthcheck),
    healthLog: (health?.Log ?? []).map((entry) => ({ exitCode: entry.ExitCode, output: entry.Output })),
    hasTty: raw.Config.Tty,
    environment: new Map((raw.Config.Env ?? []).map(splitVariable)),
  };
}

function splitVariable(entry: string): [string, string] {
  const end = entry.indexOf('=');
  return end < 0 ? [entry, ''] : [entry.slice(0, end), entry.slice(end + 1)];
}

function healthWord(status: string | undefined): Health {
  return status === 'healthy' || status === 'unhealthy' || status === 'starting' ? status : 'none';
}

function testOf(healthcheck: Docker.HealthConfig | undefined): readonly string[] {
  const test = healthcheck?.Test ?? [];
  return typeof test === 'string' ? ['CMD-SHELL', test] : test;
}

function toRestartPolicy(policy: Docker.HostRestartPolicy | undefined): RestartPolicy {
  const name = (policy?.Name || 'no') as RestartPolicy['name'];
  return { name, ...(policy?.MaximumRetryCount && { maximumRetryCount: policy.MaximumRetryCount }) };
}

export function toImage(raw: Docker.ImageInspectInfo): ImageDetail {
  return {
    id: raw.Id,
    tags: raw.RepoTags ?? [],
    digests: raw.RepoDigests ?? [],
    labels: raw.Config?.Labels ?? {},
    size: raw.Size,
  };
}

export function toVolume(raw: Docker.VolumeInspectInfo): VolumeSummary {
  return {
    name: raw.Name,
    driver: raw.Driver,
    options: raw.Options ?? {},
    labels: raw.Labels ?? {},
    mountpoint: raw.Mountpoint,
  };
}
