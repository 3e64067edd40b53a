import { lstat, open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { KeptFolder } from '../../adapters/folders/kept-folder.ts';
import { inspectFile, notAModel } from '../../adapters/models-directory/inspect-file.ts';
import type { KeptGguf } from '../../adapters/models-directory/kept-model.ts';
import { AixclError } from '../../errors.ts';
import type { Found } from '../../models/find-kept.ts';
import { fileSource } from '../../models/gguf/byte-source.ts';
import { type GgufHeader, GgufProblem, readHeader } from '../../models/gguf/header.ts';
import { mainFileOf, shardsOf } from '../../models/model-files.ts';
import { quoted } from '../../models/model-name.ts';
import { shellWord } from '../../shell-word.ts';

/** A GGUF file of something that was found. */
export interface GgufFile {
  /** Absolute, links followed. */
  readonly path: string;
  readonly size: number;
}

/** GGUF files right in what was found; those in its folders are left alone. */
export function ggufFilesOf({ model }: Found): GgufFile[] {
  const files =
    'parts' in model
      ? (model as KeptGguf).parts.map(({ path, real, identity: { size } }) => ({ path, real, size }))
      : model.files.map(({ path, size }) => ({ path, real: join((model as KeptFolder).root, path), size }));
  return files
    .filter(({ path }) => path.endsWith('.gguf') && !path.includes('/'))
    .map(({ real, size }) => ({ path: real, size }));
}

/** The weights of the model that was found, its shards in order. Throws `verification` where some are missing, `refused` where it holds no one model. */
export async function weightsOf(found: Found): Promise<GgufFile[]> {
  const { name } = found.model.subject;
  const files = ggufFilesOf(found);
  if (files.length === 0) {
    throw new AixclError('refused', `${quoted(name)} holds no GGUF model`, { hint: 'aixcl models list' });
  }
  const byName = new Map(files.map((file) => [basename(file.path), file]));
  const chosen = mainFileOf([...byName.keys()]);
  if ('problem' in chosen) {
    throw new AixclError('refused', `${quoted(name)} is no one model: ${chosen.problem}`, {
      hint: 'Name the file of the model.',
    });
  }
  const { present, missing } = shardsOf(chosen.main, [...byName.keys()]);
  const weights = present.map((each) => byName.get(each)!);
  if (missing.length > 0) throw await lacking(name, chosen.main, weights[0]!);
  return weights;
}

/** Header of a GGUF file whose structure was checked; throws `verification`. */
export async function headerAt(path: string, options: { readonly thorough: boolean }): Promise<GgufHeader> {
  await inspectFile(path, path, options);
  await using handle = await open(path);
  try {
    return await readHeader(await fileSource(handle));
  } catch (error) {
    if (error instanceof GgufProblem) throw notAModel(path, error);
    throw error;
  }
}

/** The other shards may lie beside the one that was named; then their folder is what is meant. */
async function lacking(name: string, main: string, { path }: GgufFile): Promise<AixclError> {
  const alone = await lstat(name).then(
    (stats) => stats.isFile(),
    () => false,
  );
  if (alone) {
    return new AixclError('refused', `${quoted(main)} is one of several shards`, {
      hint: `Name the folder that they lie in: ${shellWord(dirname(path))}, or bring them in: aixcl models add ${shellWord(path)}`,
    });
  }
  return new AixclError('verification', `${quoted(name)} is not whole: shards are missing`, {
    hint: `aixcl models verify ${shellWord(name)} --repair`,
  });
}
