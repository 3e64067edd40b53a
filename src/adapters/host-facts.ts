import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { systemCode } from '../errors.ts';
import type { GpuVendor } from '../stack/gpu.ts';
import type { HostFacts, PortHolder } from '../stack/observe.ts';
import { builtFrom } from './build-context.ts';

/** This machine, as a plan needs to know it. */
export const hostFacts: HostFacts = { look, holdsAnything, builtFrom, portHolder };

/** Larger files than this, in bytes, are told apart by what their folder says of them. */
const scriptSize = 1024 * 1024;

async function look(path: string): ReturnType<HostFacts['look']> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return { kind: 'folder' };
    if (!found.isFile()) return { kind: 'other' };
    if (found.size > scriptSize)
      return { kind: 'file', content: `${found.ino} ${found.size} ${found.mtimeMs}` };
    const bytes = await readFile(path);
    return { kind: 'file', content: createHash('sha256').update(bytes).digest('hex') };
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return { kind: 'missing' };
    if (systemCode(error) === 'EACCES') return { kind: 'other' };
    throw error;
  }
}

async function holdsAnything(path: string): Promise<boolean> {
  try {
    return (await readdir(path)).length > 0;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    return true;
  }
}

/** Found out by listening on it for a moment. */
async function portHolder(hostIp: string, port: number): Promise<PortHolder | undefined> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: hostIp || '0.0.0.0', port, exclusive: true }, resolve);
    });
    return undefined;
  } catch (error) {
    // Any other failure (a low port, an address that is not here) is the engine's to report.
    if (systemCode(error) !== 'EADDRINUSE') return undefined;
    return (await listeningProcess(port)) ?? {};
  } finally {
    server.close();
  }
}

/** The process that listens on a TCP port, where this user may see it. Source: proc(5), /proc/net/tcp. */
async function listeningProcess(port: number): Promise<PortHolder | undefined> {
  const sockets = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = await readFile(table, 'utf8').catch(() => '');
    for (const row of text.split('\n').slice(1)) {
      const [, local = '', , state, , , , , , inode] = row.trim().split(/\s+/);
      if (state === '0A' && Number.parseInt(local.split(':')[1] ?? '', 16) === port)
        sockets.add(`socket:[${inode}]`);
    }
  }
  if (sockets.size === 0) return undefined;
  for (const pid of (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))) {
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      if (sockets.has(await readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''))) {
        const [name = 'process', parent] = await Promise.all([nameOf(pid), parentOf(pid)]);
        return { process: `${name} (pid ${pid})`, ...(parent && { parent }) };
      }
    }
  }
  return undefined;
}

async function nameOf(pid: string): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => undefined);
  return text?.trim();
}

async function parentOf(pid: string): Promise<PortHolder['parent']> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const parent = /^PPid:\s*(\d+)$/m.exec(status)?.[1];
  const name = parent === undefined ? undefined : await nameOf(parent);
  return parent === undefined || name === undefined ? undefined : { pid: Number(parent), name };
}

/** GPU of this machine by its device files: the engine's own information does not tell AMD ones. */
export function hostGpu(): GpuVendor | undefined {
  if (existsSync('/dev/nvidiactl') || existsSync('/proc/driver/nvidia/version')) return 'nvidia';
  if (existsSync('/dev/kfd') && existsSync('/dev/dri')) return 'amd';
  return undefined;
}

/** Groups that may use an AMD GPU here, as services/compose.amd.yaml asks for them: by number, as an image need not know their names. */
export async function gpuGroups(): Promise<Record<string, string>> {
  const groupOf = async (path: string) => (await stat(path).catch(() => undefined))?.gid;
  const render = await groupOf('/dev/kfd');
  const video = await groupOf('/dev/dri/card0');
  return {
    ...(render !== undefined && { AIXCL_RENDER_GID: String(render) }),
    ...(video !== undefined && { AIXCL_VIDEO_GID: String(video) }),
  };
}
