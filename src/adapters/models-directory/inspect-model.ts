import type { Stats } from 'node:fs';
import { basename } from 'node:path';
import { systemCode } from '../../errors.ts';
import { fileSource } from '../../models/gguf/byte-source.ts';
import { GgufProblem } from '../../models/gguf/header.ts';
import { combineShards, type Inspected, inspectGguf } from '../../models/gguf/inspect.ts';
import type { GgufSummary } from '../../models/gguf/summary.ts';
import type { Model, ModelFile } from '../../models/model.ts';
import { mainFileOf, shardsOf } from '../../models/model-files.ts';
import { isProjectorName, quoted } from '../../models/model-name.ts';
import { NotOpened, openInside } from './open-inside.ts';
import type { FoundModel } from './scan.ts';

/** Opens the files of a model that was found and says what they are, or what is wrong with them. */
export async function inspectModel(directory: string, found: FoundModel): Promise<Model> {
  const files: ModelFile[] = [];
  let modified = new Date(0);
  let damage: string | null = null;
  const inspected = new Map<string, Inspected>();
  for (const path of found.paths) {
    const use = isProjectorName(basename(path)) && found.paths.length > 1 ? 'projector' : 'weights';
    try {
      const { stats, ...opened } = await openFile(directory, path);
      if (stats.mtime > modified) modified = stats.mtime;
      files.push({ path, size: stats.size, use });
      if ('problem' in opened) throw opened.problem;
      inspected.set(basename(path), opened.inspected);
    } catch (error) {
      damage ??= damageOf(error, found.paths.length > 1 ? quoted(basename(path)) : undefined);
    }
  }
  let summary: GgufSummary | null = null;
  try {
    summary = summaryOf(found, inspected);
  } catch (error) {
    damage ??= damageOf(error, undefined);
  }
  const size = files.reduce((sum, file) => sum + file.size, 0);
  return { name: found.name, folder: found.folder, files, size, modified, summary, damage };
}

/** In a function of its own, as esbuild keeps the error of one round for the next where `using` stands in a loop. */
async function openFile(
  directory: string,
  path: string,
): Promise<{ stats: Stats } & ({ inspected: Inspected } | { problem: GgufProblem })> {
  await using handle = await openInside(directory, path);
  const stats = await handle.stat();
  try {
    return { stats, inspected: await inspectGguf(await fileSource(handle), { thorough: false }) };
  } catch (problem) {
    if (problem instanceof GgufProblem) return { stats, problem };
    throw problem;
  }
}

function summaryOf(found: FoundModel, inspected: ReadonlyMap<string, Inspected>): GgufSummary | null {
  const names = found.paths.map((path) => basename(path));
  const chosen = mainFileOf(names);
  if ('problem' in chosen) throw new GgufProblem(chosen.problem);
  const { present, missing } = shardsOf(chosen.main, names);
  if (missing.length > 0) throw new GgufProblem(`its shards are not all here: ${missing.join(', ')} missing`);
  const shards = present.map((name) => inspected.get(name));
  // A shard that could not be read has said so already.
  if (shards.some((shard) => shard === undefined)) return inspected.get(chosen.main)?.summary ?? null;
  return combineShards(shards.filter((shard) => shard !== undefined));
}

function damageOf(error: unknown, file: string | undefined): string {
  const where = file ? `${file}: ` : '';
  if (error instanceof GgufProblem || error instanceof NotOpened) return where + error.message;
  if (systemCode(error) === 'EACCES') return `${where}it can not be read by this user`;
  if (systemCode(error) === 'EIO') return `${where}the disk can not read it`;
  throw error;
}
