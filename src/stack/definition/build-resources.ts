import { labels } from '../../labels.ts';
import { child, entries, items, type Node, text } from './node.ts';
import type { Problems } from './problems.ts';
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
    result.set(key, { ...common, driverOpts, labels: withHolds(common, value) });
  }
  return result;
}

/** The home's overlay says by `x-holds` of an external volume, which can have no labels, what a label of ours would. */
function withHolds({ external, labels: own }: VolumeDefinition, value: Node): VolumeDefinition['labels'] {
  const holds = external ? text(child(value, 'x-holds')) : undefined;
  return holds ? new Map([...own, [labels.holds, holds]]) : own;
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
  if (external) refuseBesideExternal(key, node, problems);
  return withoutAbsent<VolumeDefinition>({
    key,
    name: text(child(node, 'name')) || (external ? key : `${project}_${key}`),
    external,
    driver: text(child(node, 'driver')),
    driverOpts: texts(child(node, 'driver_opts')),
    labels: texts(child(node, 'labels')),
  });
}

/** As Compose does, also where two files say the one and the other: said at the later of them, for the earlier may be one of ours. */
function refuseBesideExternal(key: string, node: Node, problems: Problems): void {
  const { at: external } = child(node, 'external')!;
  const others = ['driver', 'driver_opts', 'labels', 'internal', 'ipam'].flatMap((name) => {
    const value = child(node, name);
    return value ? [{ name, at: value.at }] : [];
  });
  const inEarlier = others.filter(({ at }) => at.file !== external.file && at.file !== node.at.file);
  const [first] = inEarlier;
  if (first) {
    const names = inEarlier.map(({ name }) => name).join(', ');
    const name = text(child(node, 'name')) || key;
    problems.add(
      external,
      `stands against ${names} in ${first.at.file}:${first.at.line}, which this is merged with; Compose refuses it too`,
      `put this in place of what is there: "${key}: !override {external: true, name: ${name}}"`,
    );
  }
  for (const { at } of others) {
    if (inEarlier.some((other) => other.at === at)) continue;
    const where = at.file === external.file ? '' : ` in ${external.file}:${external.line}`;
    problems.add(at, `stands against external${where}: whoever made it has decided this`);
  }
}

function texts(node: Node | undefined): Map<string, string> {
  return new Map([...entries(node)].map(([key, { value }]) => [key, text(value) ?? '']));
}
