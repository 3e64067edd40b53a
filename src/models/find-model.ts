import { AixclError } from '../errors.ts';
import type { Keeper, KeptModel } from './keeper.ts';
import { quoted } from './model-name.ts';
import type { Runtime } from './source.ts';

export interface FoundModel {
  readonly keeper: Keeper;
  readonly model: KeptModel;
}

/**
 * The model that `text` names, in whichever runtime has it. Throws `usage` where both have one and `runtime` does not say which is meant, and
 * `notFound` with what may have been meant.
 */
export async function findModelOf(
  text: string,
  keepers: readonly Keeper[],
  runtime?: Runtime,
): Promise<FoundModel> {
  const asked = keepers.filter((keeper) => keeper.runtime !== 'directory');
  const chosen = asked.filter((keeper) => runtime === undefined || keeper.runtime === runtime);
  const found: FoundModel[] = [];
  const failures: unknown[] = [];
  for (const keeper of chosen) {
    try {
      const model = await keeper.find(text);
      if (model) found.push({ keeper, model });
    } catch (error) {
      failures.push(error);
    }
  }
  if (found.length === 1) return found[0]!;
  if (found.length > 1) {
    throw new AixclError('usage', `${quoted(text)} is a model of Ollama and one of llama-server`, {
      hint: `--runtime ${found.map(({ keeper }) => keeper.runtime).join(', or --runtime ')}`,
    });
  }
  // A place that can't be looked into may have it; one that has it needs no other.
  if (failures.length > 0) throw failures[0];
  const meant = await likeIt(text, asked);
  throw new AixclError('notFound', `There is no model ${quoted(text)}${runtime ? ` in ${runtime}` : ''}`, {
    hint: meant === undefined ? 'aixcl models list' : `Did you mean ${meant}?`,
  });
}

async function likeIt(text: string, keepers: readonly Keeper[]): Promise<string | undefined> {
  for (const keeper of keepers) {
    for (const { subject } of await keeper.list()) {
      if (subject.name === `${text}.gguf` || likeness(subject.name) === likeness(text)) return subject.name;
      if (keeper.runtime === 'ollama' && subject.name.split(':')[0] === text.split(':')[0])
        return subject.name;
    }
  }
  return undefined;
}

function likeness(name: string): string {
  return name.normalize('NFC').toLowerCase();
}
