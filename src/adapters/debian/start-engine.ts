import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { access, mkdir, readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { AixclError } from '../../errors.ts';
import { type Report, runCommand, succeeds, systemEnvironment } from './run-command.ts';

const defaultSocket = '/var/run/docker.sock';
const pidFile = '/run/docker.pid';
const logFile = '/var/log/docker.log';
const serviceWaitMs = 30_000;
const daemonWaitMs = 60_000;

export interface StartOptions {
  readonly report: Report;
  readonly signal?: AbortSignal | undefined;
}

/** True where an engine is installed, running or not. */
export async function engineInstalled(): Promise<boolean> {
  for (const folder of (systemEnvironment().PATH ?? '').split(':')) {
    if (folder && (await exists(`${folder}/dockerd`))) return true;
  }
  return false;
}

/**
 * Starts the installed engine as this system starts its services and waits until it answers on its usual socket. Where nothing starts
 * services (a container, a small virtual machine), runs `dockerd` itself, detached, with pid and log file where a service's would lie.
 * Does nothing when it answers already. Throws `engineUnreachable` with the daemon's own last words.
 */
export async function startEngine({ report, signal }: StartOptions): Promise<void> {
  if (await answers(defaultSocket)) return;
  report('Starting the Docker engine');
  if (await startService(signal)) return;
  await startDaemon([], { socket: defaultSocket, log: logFile, pidFile, signal });
}

/** Asks the system's service manager; false where there is none, or where the engine does not answer afterwards. */
async function startService(signal: AbortSignal | undefined): Promise<boolean> {
  const systemd = await exists('/run/systemd/system');
  if (!systemd && !(await exists('/etc/init.d/docker'))) return false;
  const [program, args] = systemd ? ['systemctl', ['start', 'docker']] : ['service', ['docker', 'start']];
  if (!(await succeeds(program as string, args as string[]))) return false;
  return waitForAnswer(defaultSocket, serviceWaitMs, { signal });
}

export interface DaemonOptions {
  readonly socket: string;
  readonly log: string;
  readonly pidFile: string;
  readonly signal?: AbortSignal | undefined;
  /** Program and leading arguments; absent: `dockerd`. */
  readonly command?: readonly string[];
}

/** Runs a `dockerd` that outlives this process and waits until it answers on `socket`. Answers the process id. */
export async function startDaemon(args: readonly string[], options: DaemonOptions): Promise<number> {
  const { socket, log, signal, command = ['dockerd'] } = options;
  await mountControlGroups();
  const [program, ...leading] = command as [string, ...string[]];
  const descriptor = openSync(log, 'a');
  const child = spawn(program, [...leading, ...args, '--pidfile', options.pidFile], {
    detached: true,
    cwd: '/',
    stdio: ['ignore', descriptor, descriptor],
    env: { ...process.env, ...systemEnvironment() },
  });
  closeSync(descriptor);
  child.unref();
  let ended = false;
  child.once('error', () => {
    ended = true;
  });
  child.once('exit', () => {
    ended = true;
  });
  if (await waitForAnswer(socket, daemonWaitMs, { signal, until: () => ended })) return child.pid as number;
  const lines = (await readFile(log, 'utf8').catch(() => '')).trimEnd().split('\n').slice(-10);
  throw new AixclError(
    'engineUnreachable',
    `The Docker engine was started and does not answer on ${socket}`,
    {
      evidence: lines,
      hint: `Its whole log is in ${log}.`,
    },
  );
}

/** Without an init system nobody may have mounted these, and then no container starts. */
async function mountControlGroups(): Promise<void> {
  const folder = '/sys/fs/cgroup';
  const entries = await readdir(folder).catch(() => undefined);
  if (entries?.length !== 0) return;
  await mkdir(folder, { recursive: true });
  await runCommand('mount', ['-t', 'cgroup2', 'none', folder]);
}

/** Waits until an engine answers on `socket`; false after `ms` or once `until` holds. */
async function waitForAnswer(
  socket: string,
  ms: number,
  { signal, until = () => false }: { signal?: AbortSignal | undefined; until?: () => boolean } = {},
): Promise<boolean> {
  for (const deadline = Date.now() + ms; Date.now() < deadline; ) {
    if (await answers(socket)) return true;
    if (until()) return false;
    await sleep(100, undefined, { signal });
  }
  return false;
}

/** True when an engine answers on this socket within a second. */
export function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const ask = request({ socketPath, path: '/_ping', timeout: 1000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ask.on('timeout', () => ask.destroy());
    ask.on('error', () => resolve(false));
    ask.end();
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
