import { readFile } from 'node:fs/promises';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** CHOWN, DAC_OVERRIDE, FOWNER, FSETID (capabilities(7)): what it takes to give a file to anybody, with any mode. */
const needed = 0b11011n;

/** Whether this process may make files that are these owners', write in their folders and take their files away. */
export async function mayActFor(owners: Iterable<Owner>): Promise<boolean> {
  const own = process.geteuid?.();
  if (own === undefined) return false;
  if (await isAlmighty()) return true;
  const groups = new Set([process.getegid?.(), ...(process.getgroups?.() ?? [])]);
  for (const { uid, gid } of owners) if (uid !== own || !groups.has(gid)) return false;
  return true;
}

async function isAlmighty(): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (effective === undefined) return process.geteuid?.() === 0;
  return (BigInt(`0x${effective}`) & needed) === needed;
}
