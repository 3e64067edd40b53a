import { isIP } from 'node:net';

export interface PortSpec {
  readonly hostIp?: string;
  readonly published?: string;
  readonly target: number;
  readonly protocol: string;
}

/**
 * The ports of a short form, `[[IP:][HOST]:]CONTAINER[/PROTOCOL]` with ranges: a range of container ports becomes one port each; a range
 * of host ports before a single container port stays a range, for the engine to choose from. Answers a reason (a string) where it is none.
 */
export function parsePorts(spec: string): PortSpec[] | string {
  const [ports, protocol = 'tcp', ...extra] = spec.split('/');
  if (extra.length > 0 || !/^(tcp|udp|sctp)$/i.test(protocol)) return `unknown protocol in "${spec}"`;
  const parts = ports!.split(':');
  const container = parts.pop() ?? '';
  const host = parts.pop() ?? '';
  const written = parts.join(':');
  if (isIP(written) === 6) return `an IPv6 address stands in brackets: [${written}]`;
  const ip = written.replace(/^\[(.*)\]$/, '$1');
  if (ip !== '' && isIP(ip) === 0) return `"${ip}" is no IP address`;
  const targets = parseRange(container);
  if (!targets) return `"${container}" is no port, nor a range of ports`;
  const hosts = host === '' ? undefined : parseRange(host);
  if (host !== '' && !hosts) return `"${host}" is no port, nor a range of ports`;
  const count = targets.end - targets.start;
  const single = count === 0;
  if (hosts && !single && hosts.end - hosts.start !== count) {
    return `the ranges ${host} and ${container} differ in length`;
  }
  return Array.from({ length: count + 1 }, (_, index) => ({
    ...(ip === '' ? {} : { hostIp: ip }),
    ...(hosts ? { published: single ? host : String(hosts.start + index) } : {}),
    target: targets.start + index,
    protocol: protocol.toLowerCase(),
  }));
}

/** True for a port or a range of ports, as `published` holds it. */
export function isPortRange(text: string): boolean {
  return parseRange(text) !== undefined;
}

function parseRange(text: string): { start: number; end: number } | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (!match) return undefined;
  const start = Number(match[1]);
  const end = Number(match[2] ?? match[1]);
  return end < start || end > 65535 ? undefined : { start, end };
}
