import { activeProfiles, activeServices } from '../../src/stack/definition/active-services.ts';
import { parseDuration } from '../../src/stack/definition/quantities.ts';
import type {
  MountDefinition,
  ServiceDefinition,
  StackDefinition,
} from '../../src/stack/definition/types.ts';

/** Two readings of one file, Compose's and ours, in one form, so that a test can hold one against the other. */

// biome-ignore lint/suspicious/noExplicitAny: JSON of another program
type Json = any;

const sorted = (values: readonly unknown[]): unknown[] =>
  values.map((value) => JSON.stringify(value)).toSorted();
const milliseconds = (text: string | undefined) => (text === undefined ? undefined : parseDuration(text));
const size = (value: unknown) => (value === undefined ? undefined : Number(value));
/** `config` doubles every dollar sign, so that its output can be read again. */
const undollar = (value: Json): Json => JSON.parse(JSON.stringify(value ?? null).replaceAll('$$', '$'));

export function fromOurs(
  definition: StackDefinition,
  stage: { profiles: readonly string[]; env: Readonly<Record<string, string>> },
) {
  const services = activeServices(definition, activeProfiles(stage.profiles, stage.env));
  // Compose prints also the dependencies that it leaves out.
  const used = [...services.keys()].map((name) => definition.services.get(name)!);
  const volumes = new Set(used.flatMap((service) => service.mounts.flatMap(volumeKey)));
  const networks = new Set(used.flatMap((service) => [...service.networks.keys()]));
  return clean({
    name: definition.project,
    services: Object.fromEntries(used.map((service) => [service.name, ourService(service)])),
    volumes: Object.fromEntries(
      [...definition.volumes]
        .filter(([key]) => volumes.has(key))
        .map(([key, volume]) => [key, ourResource(volume)]),
    ),
    networks: Object.fromEntries(
      [...definition.networks]
        .filter(([key]) => networks.has(key))
        .map(([key, network]) => [
          key,
          { ...ourResource(network), internal: network.internal, ipam: network.ipam },
        ]),
    ),
  });
}

const volumeKey = (mount: MountDefinition) => (mount.kind === 'volume' && mount.source ? [mount.source] : []);

function ourResource(
  found: Pick<
    StackDefinition['volumes'] extends ReadonlyMap<string, infer V> ? V : never,
    'name' | 'external' | 'driver' | 'driverOpts' | 'labels'
  >,
) {
  return {
    name: found.name,
    external: found.external,
    driver: found.driver,
    driverOpts: Object.fromEntries(found.driverOpts),
    labels: Object.fromEntries(found.labels),
  };
}

function ourService(service: ServiceDefinition) {
  return {
    ...service,
    name: undefined,
    // Compose prints neither of these when it is false.
    readOnly: service.readOnly || undefined,
    privileged: service.privileged || undefined,
    environment: Object.fromEntries(service.environment),
    labels: Object.fromEntries(service.labels),
    build: service.build && { ...service.build, args: Object.fromEntries(service.build.args) },
    ports: sorted(service.ports.map((port) => [port.hostIp, port.published, port.target, port.protocol])),
    mounts: sorted(
      service.mounts.map((mount) =>
        mount.kind === 'bind'
          ? {
              kind: 'bind',
              source: mount.source,
              target: mount.target,
              readOnly: mount.readOnly,
              propagation: mount.propagation,
              selinux: mount.selinux,
            }
          : mount.kind === 'volume'
            ? {
                kind: 'volume',
                source: mount.source,
                target: mount.target,
                readOnly: mount.readOnly,
                noCopy: mount.noCopy,
              }
            : {
                kind: 'tmpfs',
                target: mount.target,
                options: mount.options,
                size: mount.size,
                mode: mount.mode,
              },
      ),
    ),
    networks: Object.fromEntries(
      [...service.networks].map(([key, value]) => [key, { ...value, aliases: value.aliases }]),
    ),
    dependsOn: Object.fromEntries(service.dependsOn),
    ulimits: Object.fromEntries(service.ulimits),
    logging: service.logging && { ...service.logging, options: Object.fromEntries(service.logging.options) },
    extraHosts: service.extraHosts.toSorted(),
  };
}

export function fromCompose(raw: Json) {
  const config = undollar(raw);
  const each = (section: Json, convert: (value: Json, key: string) => Json) =>
    Object.fromEntries(Object.entries(section ?? {}).map(([key, value]) => [key, convert(value ?? {}, key)]));
  return clean({
    name: config.name,
    services: each(config.services, (service, name) => theirService(service, name, config.name)),
    volumes: each(config.volumes, theirResource),
    networks: each(config.networks, (network) => ({
      ...theirResource(network),
      internal: network.internal ?? false,
      ipam: (network.ipam?.config ?? []).map((block: Json) => ({
        subnet: block.subnet,
        gateway: block.gateway,
        ipRange: block.ip_range,
      })),
    })),
  });
}

function theirResource(found: Json) {
  return {
    name: found.name,
    external: found.external ?? false,
    driver: found.driver,
    driverOpts: found.driver_opts ?? {},
    labels: found.labels ?? {},
  };
}

function theirService(service: Json, name: string, project: string) {
  const resources = service.deploy?.resources ?? {};
  const request = (device: Json, extra: string[]) => ({
    driver: device.driver,
    count: device.count ?? (device.device_ids ? undefined : -1),
    deviceIds: device.device_ids,
    capabilities: [...(device.capabilities ?? []), ...extra],
  });
  const [restart, retries] = service.restart?.split(':') ?? [];
  return {
    image: service.image ?? `${project}-${name}`,
    build: service.build && {
      context: service.build.context,
      dockerfile: service.build.dockerfile,
      args: service.build.args ?? {},
      target: service.build.target,
    },
    pullPolicy: service.pull_policy,
    platform: service.platform,
    containerName: service.container_name ?? `${project}-${name}-1`,
    profiles: service.profiles ?? [],
    entrypoint: service.entrypoint ?? undefined,
    command: service.command ?? undefined,
    environment: service.environment ?? {},
    ports: sorted(
      (service.ports ?? []).map((port: Json) => [
        port.host_ip,
        port.published === '' ? undefined : port.published,
        port.target,
        port.protocol,
      ]),
    ),
    mounts: sorted([
      ...(service.volumes ?? []).map((mount: Json) =>
        mount.type === 'bind'
          ? {
              kind: 'bind',
              source: mount.source,
              target: mount.target,
              readOnly: mount.read_only ?? false,
              propagation: mount.bind?.propagation,
              selinux: mount.bind?.selinux,
            }
          : mount.type === 'volume'
            ? {
                kind: 'volume',
                source: mount.source,
                target: mount.target,
                readOnly: mount.read_only ?? false,
                noCopy: mount.volume?.nocopy ?? false,
              }
            : {
                kind: 'tmpfs',
                target: mount.target,
                size: size(mount.tmpfs?.size),
                mode: size(mount.tmpfs?.mode),
              },
      ),
      ...(service.tmpfs ?? []).map((spec: string) => {
        const [target, ...options] = spec.split(':');
        return { kind: 'tmpfs', target, options: options.length > 0 ? options.join(':') : undefined };
      }),
    ]),
    networks: Object.fromEntries(
      Object.entries(service.networks ?? {}).map(([key, value]: [string, Json]) => [
        key,
        { aliases: value?.aliases ?? [], ipv4Address: value?.ipv4_address },
      ]),
    ),
    networkMode: service.network_mode,
    dependsOn: Object.fromEntries(
      Object.entries(service.depends_on ?? {}).map(([key, value]: [string, Json]) => [
        key,
        { condition: value.condition, required: value.required, restart: value.restart ?? false },
      ]),
    ),
    healthcheck: service.healthcheck && {
      test: service.healthcheck.disable ? ['NONE'] : service.healthcheck.test,
      interval: milliseconds(service.healthcheck.interval),
      timeout: milliseconds(service.healthcheck.timeout),
      startPeriod: milliseconds(service.healthcheck.start_period),
      startInterval: milliseconds(service.healthcheck.start_interval),
      retries: service.healthcheck.retries,
    },
    labels: service.labels ?? {},
    restart: restart && { name: restart, maximumRetryCount: size(retries) },
    init: service.init,
    user: service.user,
    groupAdd: service.group_add ?? [],
    workingDir: service.working_dir,
    hostname: service.hostname,
    extraHosts: (service.extra_hosts ?? []).map((host: string) => host.replace('=', ':')).toSorted(),
    capAdd: service.cap_add ?? [],
    capDrop: service.cap_drop ?? [],
    securityOpt: service.security_opt ?? [],
    readOnly: service.read_only,
    privileged: service.privileged,
    devices: (service.devices ?? []).map((device: Json) =>
      [device.source, device.target, device.permissions].join(':'),
    ),
    deviceRequests: [
      ...(service.gpus ?? []).map((device: Json) => request(device, ['gpu'])),
      ...(resources.reservations?.devices ?? []).map((device: Json) => request(device, [])),
    ],
    runtime: service.runtime,
    shmSize: size(service.shm_size),
    ulimits: Object.fromEntries(
      Object.entries(service.ulimits ?? {}).map(([key, value]: [string, Json]) => [
        key,
        typeof value === 'number' ? { soft: value, hard: value } : { soft: value.soft, hard: value.hard },
      ]),
    ),
    resources: {
      memory: size(resources.limits?.memory),
      cpus: size(resources.limits?.cpus),
      pids: resources.limits?.pids,
      memoryReservation: size(resources.reservations?.memory),
    },
    stopSignal: service.stop_signal,
    stopGracePeriod: milliseconds(service.stop_grace_period),
    logging: service.logging && { driver: service.logging.driver, options: service.logging.options ?? {} },
  };
}

/** Without what is absent, so that `undefined` and "not there" are the same. */
function clean(value: Json): Json {
  return JSON.parse(JSON.stringify(value));
}
