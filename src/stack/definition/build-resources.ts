import { child, entries, items, type Node, text } from './node.ts';
import { ValueReader } from './read-value.ts';
import { absolutePath, type Setting, withoutAbsent } from './setting.ts';
import type { NetworkDefinition, ServiceDefinition, VolumeDefinition } from './types.ts';

/** The volumes that the files declare, by key. */
export function buildVolumes(section: Node | undefined, setting: Setting): Map<string, VolumeDefinition> {
  const result = new Map<string, VolumeDefinition>();
  for (const [key, { value }] of entries(section)) {
    const common = buildCommon(key, value, setting);
    const driverOpts = new Map(common.driverOpts);
    const device = driverOpts.get('device');
    // A volume that is a name for a directory: Compose reads the path as it reads those of bind mounts.
    if (common.driver === 'local' && driverOpts.get('o') === 'bind' && device !== undefined) {
      driverOpts.set('device', absolutePath(device, setting));
    }
    result.set(key, { ...common, driverOpts });
  }
  return result;
}

/** The networks that the files declare, and `default` where a service uses it. */
export function buildNetworkDefinitions(
  section: Node | undefined,
  services: ReadonlyMap<string, ServiceDefinition>,
  setting: Setting,
): Map<string, NetworkDefinition> {
  const result = new Map<string, NetworkDefinition>();
  for (const [key, { value }] of entries(section)) {
    result.set(key, {
      ...buildCommon(key, value, setting),
      internal: new ValueReader(setting.problems).flag(child(value, 'internal')) ?? false,
      ipam: items(child(child(value, 'ipam'), 'config')).map((block) =>
        withoutAbsent<NetworkDefinition['ipam'][number]>({
          subnet: text(child(block, 'subnet')),
          gateway: text(child(block, 'gateway')),
          ipRange: text(child(block, 'ip_range')),
        }),
      ),
    });
  }
  if (!result.has('default') && [...services.values()].some((service) => service.networks.has('default'))) {
    result.set('default', {
      key: 'default',
      name: `${setting.project}_default`,
      external: false,
      driverOpts: new Map(),
      labels: new Map(),
      internal: false,
      ipam: [],
    });
  }
  return result;
}

function buildCommon(key: string, node: Node, { project, problems }: Setting): VolumeDefinition {
  const external = new ValueReader(problems).flag(child(node, 'external')) ?? false;
  if (external) {
    for (const other of ['driver', 'driver_opts', 'labels', 'internal', 'ipam']) {
      const value = child(node, other);
      if (value) problems.add(value.at, 'stands against external: whoever made it has decided this');
    }
  }
  return withoutAbsent<VolumeDefinition>({
    key,
    name: text(child(node, 'name')) || (external ? key : `${project}_${key}`),
    external,
    driver: text(child(node, 'driver')),
    driverOpts: texts(child(node, 'driver_opts')),
    labels: texts(child(node, 'labels')),
  });
}

function texts(node: Node | undefined): Map<string, string> {
  return new Map([...entries(node)].map(([key, { value }]) => [key, text(value) ?? '']));
}
