import { posix } from 'node:path';
import type { ServiceDefinition, StackDefinition } from '../definition/types.ts';
import type { ContainerSummary, MountSummary } from '../engine.ts';
import { boundFolder } from '../observe.ts';
import { holds, ollamaModelsPath } from '../volumes/volume-contents.ts';
import { anonymousName } from './inherited-volumes.ts';

/** Where a service keeps data by its definition: any container that is made from it mounts that again. */
export interface DefinedData {
  /** By container path, what is mounted there writably: names as `sourcesOf` gives them. An anonymous volume has none. */
  readonly mounts: ReadonlyMap<string, readonly string[]>;
  /** Where an Ollama keeps its models; undefined for any other service. */
  readonly modelsPath: string | undefined;
}

export function definedData(definition: StackDefinition, service: ServiceDefinition): DefinedData {
  const mounts = service.mounts.flatMap((mount): [string, string[]][] => {
    if (mount.kind === 'tmpfs' || mount.readOnly) return [];
    if (mount.kind === 'bind') return [[mount.target, [folderName(mount.source)]]];
    const volume = mount.source === undefined ? undefined : definition.volumes.get(mount.source);
    if (!volume) return [[mount.target, []]];
    const folder = boundFolder(volume.driverOpts);
    return [[mount.target, [volumeName(volume.name), ...(folder ? [folderName(folder)] : [])]]];
  });
  return {
    mounts: new Map(mounts),
    modelsPath: isOllama(service) ? ollamaModelsPath(service.environment) : undefined,
  };
}

/**
 * What is in this container and in no other way to be found again, should it go: in words, empty when there is nothing. Volumes, also
 * anonymous ones, and folders it could write into, that neither one that stays nor the definition mounts; and its own
 * layer, where it has nothing mounted at a path that those keep data at. `replacement`: it was made to replace another.
 */
export function ownData(
  container: ContainerSummary,
  staying: readonly ContainerSummary[],
  defined: DefinedData,
  replacement: boolean,
): string[] {
  const stayingMounts = staying.flatMap(({ mounts }) => mounts);
  const elsewhere = new Set([...stayingMounts.flatMap(sourcesOf), ...[...defined.mounts.values()].flat()]);
  const neverRan = container.state === 'created';
  const mounted = container.mounts.flatMap((mount): string[] => {
    const [source] = sourcesOf(mount);
    if (!source || elsewhere.has(source)) return [];
    // The engine makes an anonymous volume with the container; who replaces another takes that one's along.
    if (replacement && neverRan && anonymousName.test(mount.name ?? '')) return [];
    // A folder is no container's: it is there, under its name, when the container is gone.
    if (mount.kind === 'bind' && (mount.readOnly || neverRan)) return [];
    return [`the ${source}`];
  });
  if (neverRan) return mounted;
  const dataPaths = [
    ...defined.mounts.keys(),
    ...stayingMounts.flatMap((mount) => (mount.readOnly || !isData(mount) ? [] : mount.target)),
    ...(defined.modelsPath ? [defined.modelsPath] : []),
  ];
  const bare = [...new Set(dataPaths)].filter(
    (path) => !container.mounts.some(({ target }) => holds(target, path)),
  );
  const outermost = bare.filter((path) => !bare.some((other) => other !== path && holds(other, path)));
  return [...mounted, ...outermost.map((path) => `what lies at ${path} in the container itself`)];
}

/** Whether it has all that the service keeps mounted where the definition has it, and nothing else that it could write into. */
export function keepsDefinedData(container: ContainerSummary, defined: DefinedData): boolean {
  const known = [...defined.mounts.values()].flat();
  const all = [...defined.mounts].every(([target, sources]) => {
    const there = container.mounts.find((mount) => mount.target === target);
    return sources.length === 0 || (there && sourcesOf(there).some((source) => sources.includes(source)));
  });
  const kept = container.mounts.filter((mount) => !mount.readOnly).flatMap(sourcesOf);
  return all && kept.every((source) => known.includes(source));
}

/** Whether it has something else mounted where the service keeps its data. */
export function keepsOtherData(container: ContainerSummary, defined: DefinedData): boolean {
  return container.mounts.some((mount) => {
    const sources = defined.mounts.get(mount.target) ?? [];
    return sources.length > 0 && !sourcesOf(mount).some((source) => sources.includes(source));
  });
}

function isOllama({ name, image }: ServiceDefinition): boolean {
  const repository = image.replace(/@.*$/, '').replace(/:[^/]*$/, '');
  return name === 'ollama' || posix.basename(repository) === 'ollama';
}

function isData({ kind }: MountSummary): boolean {
  return kind === 'volume' || kind === 'bind';
}

/** Names of what is mounted, for comparing and for showing. */
function sourcesOf({ kind, name, source }: MountSummary): string[] {
  if (kind === 'volume' && name) return [volumeName(name)];
  return kind === 'bind' && source ? [folderName(source)] : [];
}

function volumeName(name: string): string {
  return `volume ${name}`;
}

function folderName(path: string): string {
  return `folder ${path}`;
}
