import { AixclError } from '../errors.ts';
import type { Subject } from '../vault/subject.ts';
import type { Keeper, KeptModel } from './keeper.ts';
import { quoted } from './model-name.ts';

/** A model and the one who keeps it. */
export interface Found {
  readonly keeper: Keeper;
  readonly model: KeptModel;
}

/** The model that `name` means. Throws `usage` where several runtimes have one of this name, `notFound` with what it may have meant. */
export async function findKept(keepers: readonly Keeper[], name: string): Promise<Found> {
  const found = await lookUp(keepers, name);
  if (found) return found;
  const meant = await likely(keepers, name);
  throw new AixclError('notFound', `There is no model ${quoted(name)}`, {
    hint: meant ? `Did you mean ${meant}?` : 'aixcl models list',
  });
}

/** As `findKept`; undefined when there is none. A store that can't be reached is passed over where another has the model. */
export async function lookUp(keepers: readonly Keeper[], name: string): Promise<Found | undefined> {
  const found: Found[] = [];
  let unreachable: AixclError | undefined;
  for (const keeper of keepers) {
    try {
      const model = await keeper.find(name);
      if (model) found.push({ keeper, model });
    } catch (error) {
      if (!(error instanceof AixclError) || error.code !== 'engineUnreachable') throw error;
      unreachable = error;
    }
  }
  if (found.length === 0 && unreachable) throw unreachable;
  if (found.length < 2) return found[0];
  const runtimes = found.map(({ keeper }) => keeper.runtime);
  throw new AixclError('usage', `${quoted(name)} is a model of ${runtimes.join(' and of ')}: say which`, {
    hint: runtimes.map((runtime) => `--runtime ${runtime}`).join(' or '),
  });
}

export async function listKept(keepers: readonly Keeper[]): Promise<Found[]> {
  const found: Found[] = [];
  for (const keeper of keepers) for (const model of await keeper.list()) found.push({ keeper, model });
  return found;
}

/** For people: `tea.gguf`, `volume ollama`. */
export function shownSubject({ runtime, name }: Subject): string {
  return (runtime === 'volume' ? 'volume ' : '') + name.replace(/\p{Cc}/gu, ' ');
}

async function likely(keepers: readonly Keeper[], name: string): Promise<string | undefined> {
  const wanted = likeness(name);
  const names = (await listKept(keepers)).map(({ model }) => model.subject.name);
  return names.find((each) => likeness(each) === wanted || likeness(each) === `${wanted}.gguf`);
}

function likeness(name: string): string {
  return name.normalize('NFC').toLowerCase();
}
