import { type Entry, items, type MapNode, type Node, text, withChild } from './node.ts';
import type { Problems } from './problems.ts';

/**
 * Lays `over` on `base`, both with long forms only, as Compose does: maps by key, lists appended (then made unique, see
 * `settleServices`), single values replaced; a null changes nothing. `!reset` takes the earlier value away, `!override` replaces it.
 */
export function mergeFiles(base: MapNode, over: MapNode, problems: Problems): MapNode {
  return mergeMaps(base, over, [], problems);
}

function mergeMaps(base: MapNode, over: MapNode, path: readonly string[], problems: Problems): MapNode {
  const result = new Map(base.entries);
  for (const [key, entry] of over.entries) {
    const earlier = result.get(key);
    if (entry.value.mark === 'reset') result.delete(key);
    else if (!earlier || entry.value.mark === 'override') result.set(key, unmarked(entry));
    else
      result.set(key, { key: entry.key, value: merge(earlier.value, entry.value, [...path, key], problems) });
  }
  return { ...over, entries: result };
}

function merge(base: Node, over: Node, path: readonly string[], problems: Problems): Node {
  if (replaces(base, over, path)) return unmark(over);
  if (over.kind === 'scalar' && over.value === null) return base;
  if (base.kind === 'scalar') {
    if (base.value === null || over.kind === 'scalar') return unmark(over);
  } else if (base.kind === 'map' && over.kind === 'map') {
    return mergeMaps(base, over, path, problems);
  } else if (base.kind === 'list' && over.kind === 'list') {
    return { ...over, items: [...base.items, ...over.items] };
  }
  problems.add(
    over.at,
    `can't be merged with ${base.at.file}:${base.at.line}, which is of another form`,
    'write both in the same form, or put !override before this value',
  );
  return base;
}

/** Values that are one thing: a later file's stands for the whole. */
function replaces(base: Node, over: Node, path: readonly string[]): boolean {
  const [section, , key, part, ...rest] = path;
  // `NAME` without a value asks for the surrounding one, whatever an earlier file gave it.
  const holder = path.at(-2);
  if (holder === 'environment' || holder === 'labels' || holder === 'args') return true;
  if (section !== 'services' || rest.length > 0) return false;
  if (part === undefined) {
    if (key === 'command' || key === 'entrypoint') return true;
    return (
      key === 'logging' &&
      driver(base) !== undefined &&
      driver(over) !== undefined &&
      driver(base) !== driver(over)
    );
  }
  return key === 'ulimits' || (key === 'healthcheck' && part === 'test');
}

function driver(logging: Node): string | undefined {
  return logging.kind === 'map' ? text(logging.entries.get('driver')?.value) : undefined;
}

/** Forgets marks that had nothing to act on, and drops what `!reset` names, all the way down. */
export function unmark(node: Node): Node {
  const { mark: _, ...plain } = node;
  if (plain.kind === 'list') return { ...plain, items: plain.items.map(unmark) };
  if (plain.kind === 'scalar') return plain;
  const entries = new Map<string, Entry>();
  for (const [key, entry] of plain.entries)
    if (entry.value.mark !== 'reset') entries.set(key, unmarked(entry));
  return { ...plain, entries };
}

function unmarked(entry: Entry): Entry {
  return { ...entry, value: unmark(entry.value) };
}

const identities: Readonly<Record<string, (item: Node) => string>> = {
  ports: (port) =>
    [
      part(port, 'host_ip') ?? '0.0.0.0',
      part(port, 'published') ?? '',
      part(port, 'target'),
      part(port, 'protocol') ?? 'tcp',
    ].join(':'),
  volumes: (mount) => part(mount, 'target') ?? '',
  devices: (device) => part(device, 'target') ?? part(device, 'source') ?? '',
  env_file: (file) => part(file, 'path') ?? '',
  tmpfs: nameOf,
  cap_add: nameOf,
  cap_drop: nameOf,
  profiles: nameOf,
  security_opt: whole,
  group_add: whole,
  extra_hosts: whole,
};

/** Lists of services without repetition: the later entry takes the place of the earlier one of the same identity. */
export function settleServices(root: MapNode): MapNode {
  const services = root.entries.get('services')?.value;
  if (services?.kind !== 'map') return root;
  const settled = new Map(services.entries);
  for (const [name, entry] of settled) {
    if (entry.value.kind === 'map') settled.set(name, { ...entry, value: settle(entry.value) });
  }
  return withChild(root, 'services', { ...services, entries: settled });
}

function settle(service: MapNode): MapNode {
  let result = service;
  for (const [key, identity] of Object.entries(identities)) {
    const found = service.entries.get(key)?.value;
    if (found?.kind !== 'list') continue;
    const unique = new Map(items(found).map((item) => [identity(item), item]));
    result = withChild(result, key, { ...found, items: [...unique.values()] });
  }
  return result;
}

function part(node: Node, key: string): string | undefined {
  return node.kind === 'map' ? text(node.entries.get(key)?.value) : undefined;
}

/** What stands before a `=`, as Compose compares such lists. */
function nameOf(node: Node): string {
  return (text(node) ?? '').split('=', 1)[0]!;
}

function whole(node: Node): string {
  return text(node) ?? '';
}
