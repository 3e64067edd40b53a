import { child, entries, type Node, text, texts } from './node.ts';
import type { Problems } from './problems.ts';
import type { ValueReader } from './read-value.ts';
import type { Dependency, NetworkAttachment, ServiceDefinition } from './types.ts';

/** The networks of a service: those named, else `default`; none where `network_mode` says otherwise. */
export function buildNetworks(
  networks: Node | undefined,
  mode: Node | undefined,
  problems: Problems,
): Pick<ServiceDefinition, 'networks' | 'networkMode'> {
  const attachments = new Map<string, NetworkAttachment>();
  for (const [key, { value }] of entries(networks)) {
    const ipv4Address = text(child(value, 'ipv4_address'));
    attachments.set(key, {
      aliases: [...new Set(texts(child(value, 'aliases')))],
      ...(ipv4Address === undefined ? {} : { ipv4Address }),
    });
  }
  const networkMode = text(mode);
  if (networkMode) {
    if (attachments.size > 0) problems.add(mode!.at, 'stands against networks; only one of them can be');
    return { networks: new Map(), networkMode };
  }
  if (attachments.size === 0) attachments.set('default', { aliases: [] });
  return { networks: attachments };
}

/** `depends_on`, and the service whose network is shared. */
export function buildDependencies(
  dependsOn: Node | undefined,
  networkMode: Node | undefined,
  read: ValueReader,
): Map<string, Dependency> {
  const result = new Map<string, Dependency>();
  for (const [name, { value }] of entries(dependsOn)) {
    result.set(name, {
      condition: (text(child(value, 'condition')) ?? 'service_started') as Dependency['condition'],
      required: read.flag(child(value, 'required')) ?? true,
      restart: read.flag(child(value, 'restart')) ?? false,
    });
  }
  const shared = sharedNetwork(text(networkMode));
  if (shared && !result.has(shared)) {
    result.set(shared, { condition: 'service_started', required: true, restart: true });
  }
  return result;
}

/** The service in `service:NAME`. */
export function sharedNetwork(mode: string | undefined): string | undefined {
  return mode?.startsWith('service:') ? mode.slice('service:'.length) : undefined;
}
