import type Docker from 'dockerode';
import type { HealthcheckDefinition, PortDefinition, RestartPolicy } from '../../stack/definition/types.ts';
import type { ContainerSpec, MountSpec } from '../../stack/engine.ts';

/** What `POST /containers/create` takes, made of a container's spec. */
export function createOptions(name: string, spec: ContainerSpec): Docker.ContainerCreateOptions {
  const first = spec.networks[0];
  return {
    name,
    Image: spec.image,
    ...(spec.platform && { platform: spec.platform }),
    ...(spec.entrypoint && { Entrypoint: [...spec.entrypoint] }),
    ...(spec.command && { Cmd: [...spec.command] }),
    Env: [...spec.environment].map(([key, value]) => (value === null ? key : `${key}=${value}`)),
    Labels: { ...spec.labels },
    ExposedPorts: Object.fromEntries(spec.ports.map((port) => [portKey(port), {}])),
    ...(spec.healthcheck && { Healthcheck: healthcheck(spec.healthcheck) }),
    ...(spec.user !== undefined && { User: spec.user }),
    ...(spec.workingDir && { WorkingDir: spec.workingDir }),
    ...(spec.hostname && { Hostname: spec.hostname }),
    ...(spec.stopSignal && { StopSignal: spec.stopSignal }),
    ...(spec.stopGracePeriod !== undefined && { StopTimeout: Math.ceil(spec.stopGracePeriod / 1000) }),
    HostConfig: hostConfig(spec, first?.name),
    ...(first && {
      NetworkingConfig: {
        EndpointsConfig: {
          [first.name]: endpointOf(first),
        },
      },
    }),
  };
}

/** How a container is reached in one network. */
export function endpointOf(network: {
  readonly aliases: readonly string[];
  readonly ipv4Address?: string;
}): Docker.EndpointSettings {
  return {
    Aliases: [...network.aliases],
    ...(network.ipv4Address && { IPAMConfig: { IPv4Address: network.ipv4Address } }),
  };
}

function hostConfig(spec: ContainerSpec, network: string | undefined): Docker.HostConfig {
  const { memory, cpus, pids, memoryReservation } = spec.resources;
  const config: Docker.HostConfig = {
    NetworkMode: spec.networkMode ?? network ?? 'none',
    PortBindings: portBindings(spec.ports),
    Binds: spec.mounts.flatMap(bindWithSource),
    Mounts: spec.mounts.flatMap(strictMount),
    Tmpfs: Object.fromEntries(spec.mounts.flatMap(tmpfs)),
    CapAdd: [...spec.capAdd],
    CapDrop: [...spec.capDrop],
    SecurityOpt: [...spec.securityOpt],
    GroupAdd: [...spec.groupAdd],
    ExtraHosts: [...spec.extraHosts],
    Devices: spec.devices.map(device),
    DeviceRequests: spec.deviceRequests.map((request) => ({
      Driver: request.driver ?? '',
      Count: request.deviceIds ? 0 : (request.count ?? -1),
      DeviceIDs: [...(request.deviceIds ?? [])],
      Capabilities: [[...request.capabilities]],
      Options: {},
    })),
    Ulimits: [...spec.ulimits].map(([limit, { soft, hard }]) => ({ Name: limit, Soft: soft, Hard: hard })),
  };
  if (spec.restart) config.RestartPolicy = restartPolicy(spec.restart);
  if (spec.init !== undefined) config.Init = spec.init;
  if (spec.readOnly !== undefined) config.ReadonlyRootfs = spec.readOnly;
  if (spec.privileged !== undefined) config.Privileged = spec.privileged;
  if (spec.runtime) config.Runtime = spec.runtime;
  if (spec.shmSize !== undefined) config.ShmSize = spec.shmSize;
  if (memory !== undefined) config.Memory = memory;
  if (cpus !== undefined) config.NanoCpus = Math.round(cpus * 1e9);
  if (pids !== undefined) config.PidsLimit = pids;
  if (memoryReservation !== undefined) config.MemoryReservation = memoryReservation;
  if (spec.logging) {
    config.LogConfig = {
      Type: spec.logging.driver ?? 'json-file',
      Config: Object.fromEntries(spec.logging.options),
    };
  }
  return config;
}

export function restartPolicy(policy: RestartPolicy): Docker.HostRestartPolicy {
  return { Name: policy.name, MaximumRetryCount: policy.maximumRetryCount ?? 0 };
}

function portKey(port: PortDefinition): string {
  return `${port.target}/${port.protocol}`;
}

function portBindings(ports: readonly PortDefinition[]): Docker.PortMap {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of ports) {
    const key = portKey(port);
    bindings[key] ??= [];
    bindings[key].push({ HostIp: port.hostIp ?? '', HostPort: port.published ?? '' });
  }
  return bindings;
}

/** `Binds` makes a missing source as a folder of root, and alone can relabel for SELinux; only for mounts that ask for either. */
function asBind(mount: Extract<MountSpec, { kind: 'bind' }>): boolean {
  return mount.createSource || mount.selinux !== undefined;
}

function bindWithSource(mount: MountSpec): string[] {
  if (mount.kind !== 'bind' || !asBind(mount)) return [];
  const options = [mount.readOnly ? 'ro' : 'rw', mount.propagation, mount.selinux].filter(Boolean);
  return [`${mount.source}:${mount.target}:${options.join(',')}`];
}

/** `Mounts` refuses a missing source. */
function strictMount(mount: MountSpec): Docker.MountSettings[] {
  if (mount.kind === 'bind') {
    if (asBind(mount)) return [];
    const propagation = mount.propagation as Docker.MountPropagation | undefined;
    return [
      {
        Type: 'bind',
        Source: mount.source,
        Target: mount.target,
        ReadOnly: mount.readOnly,
        ...(propagation && { BindOptions: { Propagation: propagation } }),
      },
    ];
  }
  if (mount.kind !== 'volume') return [];
  const options = mount.noCopy
    ? { VolumeOptions: { NoCopy: true } as Docker.MountSettings['VolumeOptions'] & object }
    : {};
  return [
    { Type: 'volume', Source: mount.name ?? '', Target: mount.target, ReadOnly: mount.readOnly, ...options },
  ];
}

function tmpfs(mount: MountSpec): [string, string][] {
  if (mount.kind !== 'tmpfs') return [];
  const options = [
    mount.options,
    mount.size === undefined ? undefined : `size=${mount.size}`,
    mount.mode === undefined ? undefined : `mode=${mount.mode.toString(8)}`,
  ];
  return [[mount.target, options.filter(Boolean).join(',')]];
}

function device(entry: string): Docker.DeviceMapping {
  const [host = '', inside = host, permissions = 'rwm'] = entry.split(':');
  return { PathOnHost: host, PathInContainer: inside, CgroupPermissions: permissions };
}

const nanoseconds = (milliseconds: number) => Math.round(milliseconds * 1e6);

function healthcheck(check: HealthcheckDefinition): Docker.HealthConfig {
  return {
    ...(check.test && { Test: [...check.test] }),
    ...(check.interval !== undefined && { Interval: nanoseconds(check.interval) }),
    ...(check.timeout !== undefined && { Timeout: nanoseconds(check.timeout) }),
    ...(check.startPeriod !== undefined && { StartPeriod: nanoseconds(check.startPeriod) }),
    ...(check.startInterval !== undefined && { StartInterval: nanoseconds(check.startInterval) }),
    ...(check.retries !== undefined && { Retries: check.retries }),
  };
}
