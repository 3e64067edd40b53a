import { readFile, readlink } from 'node:fs/promises';
import { systemCode } from '../errors.ts';

/**
 * A number tells no process: it means another one in every container and after every boot, and is given again. `BOOT PIDS STARTED` does: the
 * kernel's id of this boot, its name for the table that the number is from, and the process's start in clock ticks since the boot (field 22
 * of proc_pid_stat(5)). Undefined where the system has no /proc.
 */
export async function ownIdentity(): Promise<string | undefined> {
  try {
    const [where, started] = await Promise.all([whereabouts(), startOf('self')]);
    return started === undefined ? undefined : `${where} ${started}`;
  } catch {
    return undefined;
  }
}

export interface ProcessRecord {
  readonly pid: number;
  /** What `ownIdentity` answered there. */
  readonly process?: string | undefined;
  /** ISO 8601: when it wrote this. */
  readonly time: string;
}

/**
 * Whether that process still runs; null where it can't be seen from here, as it is one of another container. Without an identity, one of that
 * number that was there when the record was written counts as it.
 */
export async function isRunning(record: ProcessRecord): Promise<boolean | null> {
  if (record.process !== undefined) return isSame(record.pid, record.process);
  if (!exists(record.pid)) return false;
  const began = await beginOf(record.pid);
  return began === undefined || began <= Date.parse(record.time) + clockSlackMs;
}

async function isSame(pid: number, identity: string): Promise<boolean | null> {
  const [boot, pids, started] = identity.split(' ');
  const [hereBoot, herePids] = (await whereabouts().catch(() => '')).split(' ');
  if (boot !== hereBoot) return hereBoot === '' ? null : false;
  if (pids !== herePids) return null;
  return (await startOf(pid)) === started;
}

async function whereabouts(): Promise<string> {
  const [boot, pids] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    readlink('/proc/self/ns/pid'),
  ]);
  return `${boot.trim()} ${pids}`;
}

/** Clock ticks since the boot; undefined for a process that is not there, or that has ended and only waits for its parent. */
async function startOf(pid: number | 'self'): Promise<string | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    // A program's name may hold spaces and brackets.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

/** Clocks are set by small steps while a machine runs. */
const clockSlackMs = 2000;
/** USER_HZ, in which the kernel counts for programs on every machine that Node runs on. */
const ticksPerSecond = 100;

/** Unix milliseconds at which a process began. */
async function beginOf(pid: number): Promise<number | undefined> {
  try {
    const [started, stat] = await Promise.all([startOf(pid), readFile('/proc/stat', 'utf8')]);
    const boot = /^btime (\d+)$/m.exec(stat)?.[1];
    if (started === undefined || boot === undefined) return undefined;
    return (Number(boot) + Number(started) / ticksPerSecond) * 1000;
  } catch {
    return undefined;
  }
}
