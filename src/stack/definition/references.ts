import { nearest } from '../../nearest.ts';
import { child, type MapNode, type Node, type Position } from './node.ts';
import type { Problems } from './problems.ts';
import { sharedNetwork } from './service-relations.ts';
import type { NetworkDefinition, ServiceDefinition, VolumeDefinition } from './types.ts';

export interface Parts {
  readonly services: ReadonlyMap<string, ServiceDefinition>;
  readonly volumes: ReadonlyMap<string, VolumeDefinition>;
  readonly networks: ReadonlyMap<string, NetworkDefinition>;
}

/** Everything that one part says of another must be there, and no service may wait for itself. */
export function checkReferences(parts: Parts, root: MapNode, problems: Problems): void {
  for (const service of parts.services.values()) {
    const node = child(child(root, 'services'), service.name)!;
    for (const name of service.dependsOn.keys()) {
      if (parts.services.has(name)) continue;
      const shared = sharedNetwork(service.networkMode) === name;
      const at = shared ? place(node, 'network_mode') : place(node, 'depends_on', name);
      problems.add(at, `no service "${name}"`, guess(name, parts.services));
    }
    for (const key of service.networks.keys()) {
      if (!parts.networks.has(key)) {
        problems.add(
          place(node, 'networks', key),
          `no network "${key}"`,
          declare('networks', key, parts.networks),
        );
      }
    }
    const mounts = child(node, 'volumes');
    service.mounts.forEach((mount, index) => {
      if (mount.kind !== 'volume' || mount.source === undefined || parts.volumes.has(mount.source)) return;
      const at = mounts?.kind === 'list' ? mounts.items[index]?.at : undefined;
      problems.add(
        at ?? node.at,
        `no volume "${mount.source}"`,
        declare('volumes', mount.source, parts.volumes),
      );
    });
  }
  const cycle = findCycle(parts.services);
  if (cycle) {
    const node = child(child(root, 'services'), cycle[0]!)!;
    problems.add(
      place(node, 'depends_on', cycle[1]!),
      `services wait for each other: ${cycle.join(' → ')}`,
      'take one of these dependencies out',
    );
  }
}

/** Where the key at the end of `path` was written, or the nearest thing above it. */
function place(node: Node, ...path: string[]): Position {
  let at = node.at;
  let current: Node = node;
  for (const key of path) {
    const entry = current.kind === 'map' ? current.entries.get(key) : undefined;
    if (!entry) break;
    at = key === path.at(-1) ? entry.key : entry.value.at;
    current = entry.value;
  }
  return at;
}

function guess(name: string, known: ReadonlyMap<string, unknown>): string | undefined {
  const word = nearest(name, [...known.keys()]);
  return word === undefined ? undefined : `did you mean "${word}"?`;
}

function declare(section: string, key: string, known: ReadonlyMap<string, unknown>): string {
  return guess(key, known) ?? `declare it under "${section}:" at the end of the file`;
}

/** Names along a circle of dependencies, the first repeated at the end. */
function findCycle(services: ReadonlyMap<string, ServiceDefinition>): string[] | undefined {
  const finished = new Set<string>();
  const visit = (name: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(name)) return [...trail.slice(trail.indexOf(name)), name];
    if (finished.has(name)) return undefined;
    for (const next of services.get(name)?.dependsOn.keys() ?? []) {
      const cycle = visit(next, [...trail, name]);
      if (cycle) return cycle;
    }
    finished.add(name);
    return undefined;
  };
  for (const name of services.keys()) {
    const cycle = visit(name, []);
    if (cycle) return cycle;
  }
  return undefined;
}
