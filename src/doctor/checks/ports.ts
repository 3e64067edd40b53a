import type { Examined } from '../examined.ts';
import type { Finding } from '../finding.ts';

/** Ports that services are to have and somebody else holds. */
export function checkPorts({ ports = [] }: Examined): Finding[] {
  return ports.map(({ service, what, command }) => ({
    check: 'port-taken',
    level: 'problem',
    what,
    why: `${service} can not start while it is so.`,
    command: command ?? `aixcl service start ${service}`,
    fixable: false,
  }));
}
