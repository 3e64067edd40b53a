import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { AixclError, reasonOf, systemCode } from '../../errors.ts';
import { activeProfiles, hasProfile } from './active-services.ts';
import { buildNetworkDefinitions, buildVolumes } from './build-resources.ts';
import { buildService } from './build-service.ts';
import { ContentCache } from './content-cache.ts';
import { expandFile } from './expand.ts';
import { interpolateTree } from './interpolate-tree.ts';
import { InterpolationError, interpolate } from './interpolation.ts';
import { mergeFiles, settleServices, unmark } from './merge.ts';
import { child, entries, type MapNode, text, texts, toPlain } from './node.ts';
import { treesFromJson, treesToJson } from './node-json.ts';
import { Problems } from './problems.ts';
import { checkReferences } from './references.ts';
import type { Setting } from './setting.ts';
import type { ServiceDefinition, StackDefinition } from './types.ts';

export interface LoadOptions {
  /** Compose files in the order in which they are merged; the first one's folder is where relative paths start. */
  readonly files: readonly string[];
  /** Merged last, where it exists. */
  readonly overrideFile?: string | undefined;
  /** `-p`. Else `COMPOSE_PROJECT_NAME`, else `name:` of the last file that has one, else the folder's name. */
  readonly projectName?: string | undefined;
  /** `--profile`. Without any, `COMPOSE_PROFILES` decides. */
  readonly profiles: readonly string[];
  /** What variables are taken from: the process environment over `.env`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where results of reading may be remembered between runs; without it they are not. */
  readonly cacheFolder?: string | undefined;
}

/**
 * Reads, interpolates, checks and merges Compose files as Compose does.
 * @throws AixclError `usage`: the first thing wrong as `FILE:LINE:COL: path: what`, all others as evidence.
 */
export async function loadDefinition(options: LoadOptions): Promise<StackDefinition> {
  const written = [...options.files];
  if (options.overrideFile && existsSync(options.overrideFile)) written.push(options.overrideFile);
  if (!written[0]) throw new AixclError('usage', 'no Compose file given', { hint: 'name one with -f FILE' });
  const directory = dirname(resolve(written[0]));
  const problems = new Problems();
  const warnings = new Set<string>();

  const cache = new ContentCache(options.cacheFolder);
  const layers: MapNode[] = [];
  for (const file of written) layers.push(...(await readLayers(file, cache, problems)));
  problems.throwIfAny();
  const project = projectName(options, layers, directory, problems);
  problems.throwIfAny();
  const setting: Setting = {
    project,
    directory,
    env: { ...options.env, COMPOSE_PROJECT_NAME: project },
    problems,
    warn: (line) => warnings.add(line),
  };
  const interpolated = layers.map((layer) => interpolateTree(layer, setting));
  for (const layer of interpolated) await checkLayer(layer, cache, problems);
  problems.throwIfAny();

  const [first, ...others] = interpolated.map((layer) => expandFile(layer, problems));
  if (!first) throw new AixclError('usage', `${written[0]}: an empty Compose file`);
  const merged = others.reduce((base, over) => mergeFiles(base, over, problems), unmark(first) as MapNode);
  const root = settleServices(merged);
  const services = buildServices(root, activeProfiles(options.profiles, options.env), setting);
  const definition: StackDefinition = {
    project,
    directory,
    files: written.map((file) => resolve(file)),
    services,
    volumes: buildVolumes(child(root, 'volumes'), setting),
    networks: buildNetworkDefinitions(child(root, 'networks'), services, setting),
    warnings: [...warnings],
  };
  checkReferences(definition, root, problems);
  problems.throwIfAny();
  return definition;
}

async function readLayers(file: string, cache: ContentCache, problems: Problems): Promise<MapNode[]> {
  const source = readSource(file);
  const known = cache.get('tree', source);
  if (known !== undefined) return treesFromJson(known, file);
  const { readYaml } = await import('./read-yaml.ts');
  const roots = readYaml(source, file, problems);
  if (problems.none) cache.put('tree', source, treesToJson(roots));
  return roots;
}

async function checkLayer(layer: MapNode, cache: ContentCache, problems: Problems): Promise<void> {
  const values = JSON.stringify(toPlain(layer));
  if (cache.get('shape', values) !== undefined) return;
  const { checkShape } = await import('./check.ts');
  checkShape(layer, problems);
  if (problems.none) cache.put('shape', values, 'right');
}

function buildServices(
  root: MapNode,
  profiles: readonly string[],
  setting: Setting,
): Map<string, ServiceDefinition> {
  const result = new Map<string, ServiceDefinition>();
  for (const [name, { key, value }] of entries(child(root, 'services'))) {
    if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
      setting.problems.add(key, 'no name for a service', 'letters, digits, and . _ -');
    }
    if (value.kind !== 'map') {
      setting.problems.add(key, 'an empty service', 'say which image to run, or what to build');
      continue;
    }
    const active = hasProfile({ profiles: texts(child(value, 'profiles')) }, profiles);
    result.set(name, buildService(name, value, active, setting));
  }
  return result;
}

function projectName(
  options: LoadOptions,
  layers: readonly MapNode[],
  directory: string,
  problems: Problems,
): string {
  const chosen = options.projectName || options.env.COMPOSE_PROJECT_NAME;
  if (chosen) {
    if (normalName(chosen) === chosen) return chosen;
    throw new AixclError('usage', `"${chosen}" is no project name`, {
      hint: 'lower-case letters, digits, - and _, beginning with a letter or digit',
    });
  }
  const named = layers.flatMap((layer) => child(layer, 'name') ?? []).at(-1);
  let name = '';
  try {
    name = normalName(interpolate(text(named) ?? '', { get: (variable) => options.env[variable] }));
  } catch (error) {
    if (!(error instanceof InterpolationError)) throw error;
    problems.add(named!.at, error.message);
  }
  return name || normalName(basename(directory)) || 'default';
}

/** Compose drops what a project name can't hold. */
function normalName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '')
    .replace(/^[_-]+/, '');
}

function readSource(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const missing = systemCode(error) === 'ENOENT';
    throw new AixclError('usage', `${file}: ${missing ? 'no such file' : reasonOf(error)}`, {
      cause: error,
      hint: 'name a Compose file with -f FILE',
    });
  }
}
