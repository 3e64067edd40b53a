import { AixclError } from '../../../errors.ts';
import type { Model } from '../../../models/model.ts';
import { parseModelName, quoted } from '../../../models/model-name.ts';
import type { ModelsDirectory } from '../../../models/models-directory.ts';
import type { Runtime } from '../../../models/source.ts';

/** The GGUF model that `text` names; throws `notFound` with what it may have meant. */
export async function findModel(directory: ModelsDirectory, text: string): Promise<Model> {
  const name = parseModelName(text);
  const model = await directory.find(name);
  if (model) return model;
  const { models } = await directory.list();
  const meant = models.find((each) => each.name === `${name}.gguf` || likeness(each.name) === likeness(name));
  throw new AixclError('notFound', `There is no model ${quoted(name)} in ${directory.path}`, {
    hint: meant ? `Did you mean ${meant.name}?` : 'aixcl models list',
  });
}

/** `--runtime`. */
export function runtimeOf(value: unknown): Runtime | undefined {
  const last: unknown = Array.isArray(value) ? value.at(-1) : value;
  if (last === undefined || last === 'ollama' || last === 'llama-server') return last;
  throw new AixclError('usage', `${quoted(String(last))} is no runtime`, {
    hint: '--runtime ollama|llama-server',
  });
}

function likeness(name: string): string {
  return name.normalize('NFC').toLowerCase();
}
