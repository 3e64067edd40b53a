import { expandPorts, expandVolumes } from './expand-mounts.ts';
import {
  type Entry,
  entries,
  isNull,
  items,
  list,
  type MapNode,
  map,
  type Node,
  scalar,
  text,
  withChild,
} from './node.ts';
import type { Problems } from './problems.ts';

/** Rewrites every short form of a file that passed the shape check into its long form, so that files can be merged. */
export function expandFile(root: MapNode, problems: Problems): MapNode {
  let result = root;
  result = eachOf(result, 'services', (service) => expandService(service, problems));
  result = eachOf(result, 'volumes', expandResource);
  return eachOf(result, 'networks', expandResource);
}

type Expand = (value: Node, problems: Problems) => Node;

const serviceForms: Readonly<Record<string, Expand>> = {
  build: (value) => {
    const build = value.kind === 'scalar' ? map({ context: value }, value.at) : value;
    return inside(build, 'args', pairs);
  },
  environment: pairs,
  labels: pairs,
  env_file: (value) => onEach(oneOrMore(value), (item) => long(item, 'path')),
  depends_on: (value) =>
    named(value, (at) => map({ condition: scalar('service_started', at), required: scalar(true, at) }, at)),
  networks: (value) => named(value, (at) => scalar(null, at)),
  ports: expandPorts,
  volumes: expandVolumes,
  tmpfs: oneOrMore,
  devices: (value, problems) => onEach(value, (item) => expandDevice(item, problems)),
  gpus: (value) => (value.kind === 'scalar' ? list([map({ count: value }, value.at)], value.at) : value),
  extra_hosts: extraHosts,
};

function expandService(service: Node, problems: Problems): Node {
  if (service.kind !== 'map') return service;
  let result: MapNode = service;
  for (const [key, expand] of Object.entries(serviceForms)) {
    const value = service.entries.get(key)?.value;
    if (!value || value.mark === 'reset') continue;
    const expanded = expand(value, problems);
    result = withChild(result, key, value.mark ? { ...expanded, mark: value.mark } : expanded);
  }
  return result;
}

/** Volumes and networks: `external: {name: N}` is `external: true` with `name: N`. */
function expandResource(resource: Node): Node {
  if (resource.kind !== 'map') return resource;
  let result = inside(resource, 'labels', pairs) as MapNode;
  const external = resource.entries.get('external')?.value;
  if (external?.kind === 'map') {
    const name = external.entries.get('name')?.value;
    result = withChild(result, 'external', scalar(true, external.at));
    if (name && !resource.entries.has('name')) result = withChild(result, 'name', name);
  }
  return result;
}

/** `KEY=VALUE` lists as maps; a `KEY` alone has null for a value. */
function pairs(value: Node): Node {
  if (value.kind !== 'list') return value;
  const result = new Map<string, Entry>();
  for (const item of value.items) {
    const written = text(item) ?? '';
    const equals = written.indexOf('=');
    const key = equals < 0 ? written : written.slice(0, equals);
    result.set(key, {
      key: item.at,
      value: scalar(equals < 0 ? null : written.slice(equals + 1), item.at),
    });
  }
  return { kind: 'map', entries: result, at: value.at };
}

/** Lists of names as maps, each name with the same value. */
function named(value: Node, content: (at: Node['at']) => Node): Node {
  if (value.kind !== 'list') return value;
  const result = new Map<string, Entry>();
  for (const item of value.items) result.set(text(item) ?? '', { key: item.at, value: content(item.at) });
  return { kind: 'map', entries: result, at: value.at };
}

function expandDevice(device: Node, problems: Problems): Node {
  if (device.kind !== 'scalar') return device;
  const [source = '', target, permissions, ...extra] = device.text.split(':');
  if (extra.length > 0) problems.add(device.at, 'too many colons; a device is HOST:CONTAINER:PERMISSIONS');
  return map(
    {
      source: scalar(source, device.at),
      target: scalar(target || source, device.at),
      permissions: permissions ? scalar(permissions, device.at) : undefined,
    },
    device.at,
  );
}

/** Both forms as a list of `HOST=IP`; IPv6 addresses lose their brackets. */
function extraHosts(value: Node, problems: Problems): Node {
  const written: Node[] = [];
  for (const [host, { value: ips }] of entries(value)) {
    for (const ip of items(oneOrMore(ips))) written.push(scalar(`${host}=${text(ip) ?? ''}`, ip.at));
  }
  const result = [...written, ...items(value)].flatMap((item) => {
    const [, host, ips] = /^([^=:]+)[=:](.*)$/.exec(text(item) ?? '') ?? [];
    if (!host || !ips) {
      problems.add(item.at, `"${text(item)}" is no HOST=IP`);
      return [];
    }
    return ips.split(',').map((ip) => scalar(`${host}=${ip.replace(/^\[(.*)\]$/, '$1')}`, item.at));
  });
  return list(result, value.at);
}

function eachOf(root: MapNode, section: string, expand: (value: Node) => Node): MapNode {
  const found = root.entries.get(section)?.value;
  if (found?.kind !== 'map') return root;
  const result = new Map(found.entries);
  for (const [name, entry] of result) {
    const value = entry.value.mark === 'reset' ? entry.value : expand(entry.value);
    result.set(name, { ...entry, value: entry.value.mark ? { ...value, mark: entry.value.mark } : value });
  }
  return withChild(root, section, { ...found, entries: result });
}

function oneOrMore(value: Node): Node {
  return value.kind === 'scalar' && !isNull(value) ? list([value], value.at) : value;
}

function onEach(value: Node, expand: (item: Node) => Node): Node {
  return value.kind === 'list' ? { ...value, items: value.items.map(expand) } : value;
}

function long(value: Node, key: string): Node {
  return value.kind === 'scalar' ? map({ [key]: value }, value.at) : value;
}

function inside(value: Node, key: string, expand: (value: Node) => Node): Node {
  const found = value.kind === 'map' ? value.entries.get(key)?.value : undefined;
  if (value.kind !== 'map' || !found || found.mark === 'reset') return value;
  const expanded = expand(found);
  return withChild(value, key, found.mark ? { ...expanded, mark: found.mark } : expanded);
}
