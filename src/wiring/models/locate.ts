import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { AixclError } from '../../errors.ts';
import { type Found, findKept, lookUp } from '../../models/find-kept.ts';
import { quoted } from '../../models/model-name.ts';
import { shellWord } from '../../shell-word.ts';
import { keeperOf, keepersOf } from '../keepers.ts';
import type { Surroundings } from '../surroundings.ts';

/** What begins so is a path; anything else may be a model's name first. */
const pathOnly = /^(\/|\.{1,2}(\/|$))/;

/**
 * The model, the folder or the GGUF file elsewhere that `name` means. Throws `notFound` with what it may have meant, `usage` where several runtimes
 * have one of this name, `refused` for what can't be saved.
 */
export async function locate(
  context: Surroundings,
  name: string,
  runtime?: 'ollama' | 'llama-server',
): Promise<Found> {
  // As a path it would mean the folder that somebody happens to be in.
  if (name === '') throw new AixclError('usage', 'a name is empty', { hint: 'aixcl models list' });
  const keepers = await keepersOf(context, runtime);
  if (!pathOnly.test(name)) {
    const model = await lookUp(keepers, name);
    if (model) return model;
  }
  const model = await ofModelsDirectory(context, name);
  if (model) return model;
  const found = await lookUp([await keeperOf(context, 'directory')], name);
  if (found) return found;
  const there = await stat(name).catch(() => undefined);
  if (there?.isDirectory()) {
    throw new AixclError('notFound', `the folder ${quoted(name)} is empty, so there is nothing to save`, {
      hint: `ls -la ${shellWord(name)}`,
    });
  }
  if (!pathOnly.test(name)) return await findKept(keepers, name);
  throw new AixclError(
    'notFound',
    `there is no ${name.endsWith('.gguf') ? 'file' : 'folder'} ${quoted(name)}`,
    {
      hint: `ls -la ${shellWord(name)}`,
    },
  );
}

/** A path of what lies in the models directory means the model: it has one name, and one series of versions. */
async function ofModelsDirectory(context: Surroundings, path: string): Promise<Found | undefined> {
  const [parent, models] = await Promise.all(
    [dirname(resolve(path)), context.home.models].map((each) => realpath(each).catch(() => undefined)),
  );
  if (models === undefined || parent !== models) return undefined;
  return await lookUp([await keeperOf(context, 'llama-server')], basename(resolve(path)));
}
