import type { Examined } from '../examined.ts';
import type { Finding } from '../finding.ts';

/** A GPU that this machine has and the services do not get. */
export function checkGpu({ gpu }: Examined): Finding[] {
  if (!gpu) return [];
  return [
    {
      check: 'gpu-not-given',
      level: 'problem',
      what: gpu.message,
      why: 'The GPU stands idle while models answer slowly.',
      command: gpu.mend,
      fixable: false,
    },
  ];
}
