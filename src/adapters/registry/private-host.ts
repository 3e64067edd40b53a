import { BlockList, isIP } from 'node:net';

const ours = new BlockList();
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  ours.addSubnet(network, prefix, 'ipv4');
ours.addAddress('::1', 'ipv6');
ours.addSubnet('fc00::', 7, 'ipv6');
ours.addSubnet('fe80::', 10, 'ipv6');

/**
 * True for a host (with or without port) that can only be on this machine or in this network, so that plain http is no leak: loopback and
 * private addresses, names without a dot, and the names that RFC 6761 and 6762 keep for such.
 */
export function isPrivateHost(host: string): boolean {
  const name = new URL(`http://${host}/`).hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const family = isIP(name);
  if (family > 0) return ours.check(name, family === 4 ? 'ipv4' : 'ipv6');
  return !name.includes('.') || /\.(localhost|local|internal|home\.arpa)$/.test(name);
}
