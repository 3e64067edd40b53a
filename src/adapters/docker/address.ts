import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { AixclError, systemCode } from '../../errors.ts';

/** Where an engine listens. `display` is spelled as `DOCKER_HOST` spells it. */
export interface EngineAddress {
  readonly display: string;
  readonly socketPath?: string;
  readonly tcp?: { readonly host: string; readonly port: number; readonly tls?: TlsFiles };
}

/** Folder that holds `ca.pem`, `cert.pem` and `key.pem`, as the Docker CLI lays them out. */
interface TlsFiles {
  readonly folder: string;
  readonly verify: boolean;
}

export interface AddressWish {
  /** `--host`. */
  readonly host?: string | undefined;
  /** `--context`. */
  readonly context?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Where Docker listens unless it was told otherwise. */
export const defaultAddress = 'unix:///var/run/docker.sock';

/**
 * The engine that the user means: `--host`, else `--context`, else `DOCKER_HOST`, else `DOCKER_CONTEXT`, else the context chosen by
 * `docker context use`, else the default socket: the order of the Docker CLI.
 */
export async function resolveAddress(wish: AddressWish): Promise<EngineAddress> {
  if (wish.host && wish.context) {
    throw new AixclError('usage', '--host and --context name two engines', { hint: 'Give one of them.' });
  }
  if (wish.host) return parseAddress(wish.host, tlsFromEnv(wish.env));
  if (wish.context) return contextAddress(wish.context, wish.env);
  if (wish.env.DOCKER_HOST) return parseAddress(wish.env.DOCKER_HOST, tlsFromEnv(wish.env));
  const context = wish.env.DOCKER_CONTEXT || (await currentContext(configFolder(wish.env)));
  return context ? contextAddress(context, wish.env) : parseAddress(defaultAddress, undefined);
}

async function contextAddress(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<EngineAddress> {
  if (name === 'default') return parseAddress(env.DOCKER_HOST || defaultAddress, tlsFromEnv(env));
  const id = createHash('sha256').update(name).digest('hex');
  const folder = join(configFolder(env), 'contexts');
  const meta = await readJson(join(folder, 'meta', id, 'meta.json'));
  const endpoint = (
    meta as { Endpoints?: { docker?: { Host?: string; SkipTLSVerify?: boolean } } } | undefined
  )?.Endpoints?.docker;
  if (!endpoint?.Host) {
    throw new AixclError('notFound', `there is no Docker context "${name}"`, { hint: 'docker context ls' });
  }
  const tls = { folder: join(folder, 'tls', id, 'docker'), verify: endpoint.SkipTLSVerify !== true };
  return parseAddress(endpoint.Host, tls);
}

async function currentContext(folder: string): Promise<string | undefined> {
  const config = (await readJson(join(folder, 'config.json'))) as { currentContext?: string } | undefined;
  return config?.currentContext;
}

/** Folder of the Docker CLI's own configuration. */
export function configFolder(env: Readonly<Record<string, string | undefined>>): string {
  return env.DOCKER_CONFIG || join(env.HOME || homedir(), '.docker');
}

/** Parsed content of a JSON file; undefined when it is not there. */
export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
    throw new AixclError('usage', `${path} can't be read: ${(error as Error).message}`, {
      hint: `Mend or move ${path}.`,
    });
  }
}

function tlsFromEnv(env: Readonly<Record<string, string | undefined>>): TlsFiles | undefined {
  if (!env.DOCKER_TLS_VERIFY && !env.DOCKER_CERT_PATH) return undefined;
  return { folder: env.DOCKER_CERT_PATH || configFolder(env), verify: Boolean(env.DOCKER_TLS_VERIFY) };
}

/** Parses `unix://PATH` or `tcp://HOST:PORT`; any address that is not on this machine is refused. */
export function parseAddress(address: string, tls: TlsFiles | undefined): EngineAddress {
  if (address.startsWith('unix://')) {
    const socketPath = address.slice('unix://'.length) || '/var/run/docker.sock';
    return { display: `unix://${socketPath}`, socketPath };
  }
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const host = url?.hostname.replace(/^\[(.*)\]$/, '$1') ?? '';
  if (url && /^(tcp|https?):$/.test(url.protocol) && host) {
    if (!isLoopback(host)) throw remote(address);
    const port = Number(url.port || (tls ? 2376 : 2375));
    return { display: address, tcp: { host, port, ...(tls && { tls }) } };
  }
  if (url?.protocol === 'ssh:') throw remote(address);
  throw new AixclError('usage', `"${address}" is not the address of a Docker engine on this machine`, {
    hint: 'Give unix:///PATH or tcp://127.0.0.1:PORT.',
  });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function remote(address: string): AixclError {
  return new AixclError(
    'refused',
    `the engine at ${address} is on another machine: its folders and ports are not this machine's, so aixcl can't guard models there`,
    { hint: 'Run aixcl on that machine, or choose a local engine with --context default.' },
  );
}
