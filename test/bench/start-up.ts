import { join } from 'node:path';
import type { Comparison } from './compare.ts';

export const program = join(process.cwd(), 'bin', 'aixcl.js');

/** What it costs to start aixcl at all. */
export function startUp(runs: number): Comparison[] {
  return [
    {
      name: '--version',
      runs: 2 * runs,
      aim: 1.5,
      ours: { name: 'aixcl --version', command: [process.execPath, program, '--version'] },
      theirs: { name: 'node -e 0', command: [process.execPath, '-e', '0'] },
    },
  ];
}
