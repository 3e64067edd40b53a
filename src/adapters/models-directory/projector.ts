import { isAbsolute, join, normalize, relative } from 'node:path';
import { AixclError, reasonOf } from '../../errors.ts';
import { fileSource } from '../../models/gguf/byte-source.ts';
import { GgufProblem } from '../../models/gguf/header.ts';
import { inspectGguf } from '../../models/gguf/inspect.ts';
import type { GgufRole } from '../../models/gguf/summary.ts';
import { type ModelName, quoted } from '../../models/model-name.ts';
import { NotOpened, openInside } from './open-inside.ts';

/**
 * Path, relative to the models directory, of the encoder that `text` names: a file of the model's folder, else one of the directory.
 * Throws `notFound`, or `usage` when it is no encoder.
 */
export async function projectorPath(directory: string, model: ModelName, text: string): Promise<string> {
  const plain = isAbsolute(text) ? relative(directory, text) : normalize(text);
  const candidates = plain.startsWith('..') ? [] : [join(model, plain), plain];
  for (const path of candidates) {
    const role = await roleOf(directory, path);
    if (role === 'projector') return path;
    if (role !== undefined) {
      throw new AixclError('usage', `${quoted(path)} is no image or audio encoder`, {
        hint: 'aixcl models list',
      });
    }
  }
  throw new AixclError('notFound', `there is no ${quoted(text)} in ${directory}`, {
    hint: 'aixcl models add MMPROJ.gguf',
  });
}

/** Undefined when there is no such file. */
async function roleOf(directory: string, path: string): Promise<GgufRole | undefined> {
  try {
    await using handle = await openInside(directory, path);
    const { summary } = await inspectGguf(await fileSource(handle), { thorough: false });
    return summary.role;
  } catch (error) {
    if (error instanceof NotOpened) return undefined;
    if (!(error instanceof GgufProblem)) throw error;
    throw new AixclError('verification', `${quoted(path)} is damaged: ${reasonOf(error)}`, {
      hint: 'aixcl models list',
    });
  }
}
