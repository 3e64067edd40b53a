import { AixclError } from '../errors.ts';
import type { Model } from './model.ts';
import { parseModelName, quoted } from './model-name.ts';
import type { ModelsDirectory } from './models-directory.ts';

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

function likeness(name: string): string {
  return name.normalize('NFC').toLowerCase();
}
