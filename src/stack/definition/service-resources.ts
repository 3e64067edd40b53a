import { child, entries, items, type Node, text, texts } from './node.ts';
import { ValueReader } from './read-value.ts';
import { type Setting, withoutAbsent } from './setting.ts';
import type { DeviceRequest, ResourceLimits, ServiceDefinition } from './types.ts';

/** `gpus` and the devices of `deploy.resources.reservations`. Without count and ids: all. */
export function buildDeviceRequests(
  gpus: Node | undefined,
  deploy: Node | undefined,
  { problems }: Setting,
): DeviceRequest[] {
  const read = new ValueReader(problems);
  const reserved = items(child(child(child(deploy, 'resources'), 'reservations'), 'devices'));
  for (const node of reserved) {
    if (!child(node, 'capabilities'))
      problems.add(node.at, 'a device without capabilities', 'capabilities: [gpu]');
  }
  const request = (node: Node, extra: readonly string[]): DeviceRequest => {
    const ids = child(node, 'device_ids');
    const count = child(node, 'count');
    if (ids && count) problems.add(count.at, 'stands against device_ids; only one of them can be');
    const all = text(count)?.toLowerCase() === 'all' || (!ids && !count);
    return withoutAbsent<DeviceRequest>({
      driver: text(child(node, 'driver')),
      count: all ? -1 : read.integer(count),
      deviceIds: ids ? texts(ids) : undefined,
      capabilities: [...new Set([...texts(child(node, 'capabilities')), ...extra])],
    });
  };
  return [...items(gpus).map((node) => request(node, ['gpu'])), ...reserved.map((node) => request(node, []))];
}

export function buildLimits(deploy: Node | undefined, read: ValueReader): ResourceLimits {
  const limits = child(child(deploy, 'resources'), 'limits');
  const reservations = child(child(deploy, 'resources'), 'reservations');
  return withoutAbsent<ResourceLimits>({
    memory: read.bytes(child(limits, 'memory')),
    cpus: read.number(child(limits, 'cpus')),
    pids: read.integer(child(limits, 'pids')),
    memoryReservation: read.bytes(child(reservations, 'memory')),
  });
}

/** A single number is both limits. */
export function buildUlimits(node: Node | undefined, read: ValueReader): ServiceDefinition['ulimits'] {
  const result = new Map<string, { soft: number; hard: number }>();
  for (const [name, { value }] of entries(node)) {
    const single = value.kind === 'map' ? undefined : read.integer(value);
    const soft = single ?? read.integer(child(value, 'soft'));
    const hard = single ?? read.integer(child(value, 'hard'));
    if (soft !== undefined || hard !== undefined) {
      result.set(name, { soft: (soft ?? hard)!, hard: (hard ?? soft)! });
    }
  }
  return result;
}
