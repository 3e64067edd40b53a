import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { looksLikeModels, readSeen, recordSeen } from '../../../adapters/seen-volumes.ts';
import type { VolumeKeeper } from '../../../adapters/volumes/keeper.ts';
import { AixclError } from '../../../errors.ts';
import {
  type AskedVolume,
  concernsUs,
  isOfProject,
  modelsInLayers,
  type ObservedClean,
} from '../../../stack/clean/observe-clean.ts';
import type { StackDefinition } from '../../../stack/definition/types.ts';
import type { ContainerSummary, Engine, VolumeSummary } from '../../../stack/engine.ts';
import { refuseOtherHome } from '../../../stack/home-guard.ts';
import { folderBehind } from '../../../stack/observe.ts';
import { isGuard } from '../../../stack/volumes/guard.ts';
import { imagesAtHand } from '../../../stack/volumes/images-at-hand.ts';
import { contentsOfVolume, type VolumeContents } from '../../../stack/volumes/volume-contents.ts';
import type { Context } from '../../context.ts';

/** How long sizes are waited for: they are worth knowing, not waiting. */
const sizesMs = 4000;

/** All that a clean-up decides by. `names`: volumes that are to go; `known`: what an earlier look found in them. */
export async function observeClean(
  context: Context,
  keeper: VolumeKeeper,
  names: readonly string[],
  known: ObservedClean['asked'] = new Map(),
): Promise<ObservedClean> {
  const [engine, definition] = await Promise.all([context.engine(), context.definition()]);
  const home = context.home.root;
  const [containers, networks, images, volumes] = await Promise.all([
    engine.listContainers(),
    engine.listNetworks(),
    engine.listDanglingImages(),
    engine.listVolumes(),
  ]);
  refuseOtherHome(containers, context.home);
  const project = { project: definition.project, home };
  const ours = containers.filter((one) => isOfProject(one.labels, project) && !isGuard(one));
  const own = volumes.filter((volume) => concernsUs(volume, { definition, home, containers }));
  const looked = own.filter(({ name }) => names.includes(name));
  const first = ours.map(({ imageId }) => imageId);
  const [contents, sizes, layerModels, guardImages, asked] = await Promise.all([
    contentsOf(context, engine, definition, containers, own),
    sizesOf(engine, own),
    modelsInLayers(engine, ours),
    imagesHere(engine, imagesAtHand(definition, { first, containers })),
    Promise.all(
      looked.map(async ({ name }) => [name, known.get(name) ?? (await ask(context, keeper, name))] as const),
    ),
  ]);
  return {
    definition,
    home,
    containers,
    networks,
    images,
    volumes,
    contents,
    sizes,
    layerModels,
    guardImages,
    asked: new Map(asked),
  };
}

async function imagesHere(engine: Engine, references: readonly string[]): Promise<string[]> {
  const found = await Promise.all(references.map((reference) => engine.inspectImage(reference)));
  return references.filter((_, index) => found[index]);
}

/** What may be taken without a backup is looked into each time: since the last look, models may have come. */
async function contentsOf(
  context: Context,
  engine: Engine,
  definition: StackDefinition,
  containers: readonly ContainerSummary[],
  volumes: readonly VolumeSummary[],
): Promise<Map<string, VolumeContents>> {
  const { home, signal, flags } = context;
  const seen = await readSeen(home);
  const images = imagesAtHand(definition, { containers });
  const found = new Map<string, VolumeContents>();
  for (const volume of volumes) {
    const { name } = volume;
    const known = contentsOfVolume(name, volume, { definition, containers, seen });
    const sure = known === 'models' || known === 'state' || (known === 'unknown' && seen.has(name));
    if (sure) {
      found.set(name, known);
      continue;
    }
    const models = await looksLikeModels(engine, volume, { home, images, signal });
    if (models === undefined) found.set(name, 'unknown');
    else {
      if (!flags.dryRun) await recordSeen(home, name, models);
      found.set(name, models ? 'models' : known);
    }
  }
  return found;
}

async function ask({ home }: Context, keeper: VolumeKeeper, name: string): Promise<AskedVolume> {
  const kept = await keeper.look(name);
  if (!kept)
    throw new AixclError('notFound', `there is no volume ${name} on this engine`, {
      hint: 'aixcl stack status',
    });
  const { size, files, leftOut, folder, held } = kept;
  const linked = folder !== undefined && (await sharesMount(folder, home.vault));
  return { size, files: files.length, linked, leftOut, folder, held };
}

async function sharesMount(folder: string, vault: string): Promise<boolean> {
  const { onSameMount } = await import('../../../adapters/vault/same-mount.ts');
  return await onSameMount(folder, vault);
}

/** Bytes, by name of a volume and id of a container; what can't be had in time is not known. */
async function sizesOf(engine: Engine, volumes: readonly VolumeSummary[]): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), sizesMs);
  });
  const end = Date.now() + sizesMs;
  try {
    const usage = await Promise.race([engine.usage().catch(() => undefined), over]);
    for (const [id, size] of usage?.containers ?? []) sizes.set(id, size);
    for (const volume of volumes) {
      const { name } = volume;
      const folder = folderBehind(volume);
      const size = folder === undefined ? usage?.volumes.get(name) : await folderSize(folder, end);
      if (size !== undefined) sizes.set(name, size);
    }
  } finally {
    clearTimeout(timer);
  }
  return sizes;
}

/** Undefined where not all of it can be seen, or there is more than can be counted until `end`. */
async function folderSize(folder: string, end: number): Promise<number | undefined> {
  let total = 0;
  try {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (Date.now() > end) return undefined;
      const path = join(folder, entry.name);
      const size = entry.isDirectory() ? await folderSize(path, end) : (await lstat(path)).size;
      if (size === undefined) return undefined;
      total += size;
    }
  } catch {
    return undefined;
  }
  return total;
}
