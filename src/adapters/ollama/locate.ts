import { opendir, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { AixclError, systemCode } from '../../errors.ts';
import type { Home } from '../../home.ts';
import type { ServiceDefinition, StackDefinition } from '../../stack/definition/types.ts';
import type { ContainerSummary, Engine, PublishedPort } from '../../stack/engine.ts';
import { refuseOtherHome } from '../../stack/home-guard.ts';
import { boundFolder, folderBehind } from '../../stack/observe.ts';
import { ambiguous, type Match, matches, type ServiceIdentity } from '../../stack/recreate/container-ref.ts';
import { choose } from '../../stack/recreate/mend.ts';
import { ollamaModelsPath } from '../../stack/volumes/volume-contents.ts';
import type { Container, StoreMount } from './store/engine-store.ts';
import { blobsFolder, manifestsFolder } from './store/layout.ts';

const service = 'ollama';
const ownPort = 11434;

/** Where Ollama's models lie, and how this process gets at them. */
export type OllamaLocation =
  | { readonly kind: 'directory'; readonly models: string }
  | {
      readonly kind: 'engine';
      readonly place: string;
      readonly container: Container | undefined;
      readonly mount: StoreMount | undefined;
    }
  /** Inside an engine that does not answer. */
  | { readonly kind: 'unreachable'; readonly place: string; readonly why: AixclError };

export interface LocatedOllama {
  readonly location: OllamaLocation;
  /** Its container, running or not. */
  readonly container: ContainerSummary | undefined;
  /** Where it answers; undefined when it does not run, or publishes no port. */
  readonly address: string | undefined;
}

export interface LocateWish {
  readonly engine: Engine | AixclError;
  readonly definition: StackDefinition;
  readonly home: Home;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Finds Ollama by its container (labels, exact name, Compose's prefix), and its store by what that container mounts; without a container, by
 * the definition. `OLLAMA_HOST` and `OLLAMA_MODELS` of the environment count where there is no container: an Ollama outside the engine.
 */
export async function locateOllama(wish: LocateWish): Promise<LocatedOllama> {
  const { engine, definition, home } = wish;
  const defined = definition.services.get(service);
  if (engine instanceof AixclError) return withoutContainer(wish, undefined, engine);
  const identity = {
    project: definition.project,
    service,
    containerName: defined?.containerName ?? service,
  };
  const found = matches(identity, await engine.listContainers());
  refuseOtherHome(
    found.map(({ container }) => container),
    home,
  );
  const container = theStore(identity, found);
  if (!container) return withoutContainer(wish, engine, undefined);
  const detail = await engine.inspectContainer(container.id);
  const models = ollamaModelsPath(detail?.environment ?? new Map());
  return {
    location: await ofContainer(engine, container, models),
    container,
    address: container.state === 'running' ? publishedAddress(container) : undefined,
  };
}

/**
 * Of several, as an interrupted recreate leaves them, the one that runs, or the only one that ever did; else one is as good as another where
 * they keep their models in the same place.
 */
function theStore(identity: ServiceIdentity, found: readonly Match[]): ContainerSummary | undefined {
  const chosen = choose(identity, found)?.container;
  const ran = found.filter(({ container }) => container.state !== 'created');
  if (chosen && (chosen.state === 'running' || ran.length < 2)) return chosen;
  const mounted = ({ container }: Match) =>
    container.mounts
      .map(({ kind, name, source, target }) => [kind, name ?? source, target].join(' '))
      .sort()
      .join('\n');
  if (new Set(found.map(mounted)).size > 1) throw ambiguous(identity, found);
  return (found.find(({ container }) => container.state === 'running') ?? found[0])?.container;
}

async function ofContainer(
  engine: Engine,
  container: ContainerSummary,
  models: string,
): Promise<OllamaLocation> {
  const inside = { id: container.id, running: container.state === 'running', models };
  const mount = deepest(container.mounts, models);
  if (!mount) {
    return { kind: 'engine', place: `container ${container.name}`, container: inside, mount: undefined };
  }
  const below = posix.relative(mount.target, models);
  if (mount.kind === 'bind' && mount.source) return ofFolder(mount.source, below, inside);
  const name = mount.kind === 'volume' ? mount.name : undefined;
  const volume = name === undefined ? undefined : await engine.inspectVolume(name);
  if (!volume) {
    return { kind: 'engine', place: `container ${container.name}`, container: inside, mount: undefined };
  }
  const folder = folderBehind(volume);
  if (folder !== undefined) return ofFolder(folder, below, inside);
  return {
    kind: 'engine',
    place: `volume ${volume.name}`,
    container: inside,
    mount: { kind: 'volume', name: volume.name, below },
  };
}

/** A folder of this machine; where this user may not read it, by way of the container. */
async function ofFolder(
  source: string,
  below: string,
  container: Container | undefined,
): Promise<OllamaLocation> {
  const models = join(source, below);
  if (!container || (await readable(models))) return { kind: 'directory', models };
  return { kind: 'engine', place: models, container, mount: { kind: 'folder', path: source, below } };
}

/** Whether this process may read an Ollama's folder `models`, as far as it is there. */
export async function readable(models: string): Promise<boolean> {
  for (const folder of [models, join(models, manifestsFolder), join(models, blobsFolder)]) {
    try {
      // access(2) would answer for whoever started this process, not for whom it acts as.
      await (await opendir(folder)).close();
      await stat(`${folder}/.`);
    } catch (error) {
      if (['EACCES', 'EPERM'].includes(systemCode(error) ?? '')) return false;
      if (!['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw error;
    }
  }
  return true;
}

async function withoutContainer(
  { definition, home, env }: LocateWish,
  engine: Engine | undefined,
  why: AixclError | undefined,
): Promise<LocatedOllama> {
  const outside = env.OLLAMA_HOST ? { address: hostAddress(env.OLLAMA_HOST) } : undefined;
  const address = outside?.address;
  if (outside && env.OLLAMA_MODELS) {
    return {
      location: { kind: 'directory', models: env.OLLAMA_MODELS },
      container: undefined,
      address,
    };
  }
  const defined = definition.services.get(service);
  const location = await ofDefinition(definition, defined, home, engine, why);
  return { location, container: undefined, address };
}

async function ofDefinition(
  definition: StackDefinition,
  defined: ServiceDefinition | undefined,
  home: Home,
  engine: Engine | undefined,
  why: AixclError | undefined,
): Promise<OllamaLocation> {
  const models = ollamaModelsPath(defined?.environment ?? new Map());
  const mount = defined && deepest(defined.mounts, models);
  if (!mount) return { kind: 'directory', models: join(home.ollama, 'models') };
  const below = posix.relative(mount.target, models);
  if (mount.kind === 'bind') return ofFolder(mount.source, below, undefined);
  const volume = mount.kind === 'volume' && mount.source ? definition.volumes.get(mount.source) : undefined;
  if (!volume) return { kind: 'directory', models: join(home.ollama, 'models') };
  const there = await engine?.inspectVolume(volume.name);
  const folder = there ? folderBehind(there) : boundFolder(volume.driverOpts);
  if (folder !== undefined) return ofFolder(folder, below, undefined);
  const place = `volume ${volume.name}`;
  if (!engine) return { kind: 'unreachable', place, why: why! };
  return { kind: 'engine', place, container: undefined, mount: { kind: 'volume', name: volume.name, below } };
}

/** The mount that `path` lies in. */
export function deepest<M extends { readonly target: string }>(
  mounts: readonly M[],
  path: string,
): M | undefined {
  const holding = mounts.filter(({ target }) => {
    const way = posix.relative(target, path);
    return way !== '..' && !way.startsWith('../') && !posix.isAbsolute(way);
  });
  return holding.sort((a, b) => b.target.length - a.target.length)[0];
}

/** Never `OLLAMA_HOST`: who listens there may be another Ollama, with another store. */
function publishedAddress({ ports, networkMode }: ContainerSummary): string | undefined {
  const tcp = ports.filter(({ protocol }) => protocol === 'tcp');
  const port = tcp.find(({ target }) => target === ownPort) ?? (tcp.length === 1 ? tcp[0] : undefined);
  if (port) return `http://${hostOf(port)}:${port.published}`;
  return networkMode === 'host' ? `http://127.0.0.1:${ownPort}` : undefined;
}

function hostOf({ hostIp }: PublishedPort): string {
  if (hostIp === '' || hostIp === '0.0.0.0') return '127.0.0.1';
  if (hostIp === '::') return '[::1]';
  return hostIp.includes(':') ? `[${hostIp}]` : hostIp;
}

/** As a client of Ollama reads `OLLAMA_HOST`: scheme and port may be missing, and an address to listen on means this machine. */
export function hostAddress(text: string): string {
  const whole = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`;
  let url: URL;
  try {
    url = new URL(whole);
  } catch (error) {
    throw new AixclError('usage', `OLLAMA_HOST is ${JSON.stringify(text)}, which is no address`, {
      hint: 'OLLAMA_HOST=127.0.0.1:11434',
      cause: error,
    });
  }
  const stated = /:\d+(\/|$)/.test(whole.slice(whole.indexOf('://') + 3));
  const given = /^[a-z]+:\/\//i.test(text);
  const standard = url.protocol === 'https:' ? 443 : given ? 80 : ownPort;
  const port = url.port || (stated ? (url.protocol === 'https:' ? 443 : 80) : standard);
  const host = url.hostname === '0.0.0.0' ? '127.0.0.1' : url.hostname === '[::]' ? '[::1]' : url.hostname;
  return `${url.protocol}//${host}:${port}`;
}
