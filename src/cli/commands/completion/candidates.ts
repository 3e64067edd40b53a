import type { Options } from 'yargs';
import type { Noun, Verb } from '../../command.ts';
import { commandWords, globalOptions, spellOut } from '../../globals.ts';
import { verbName } from '../../usage.ts';

/** What can stand where a word is being typed. */
export interface Candidates {
  readonly words: readonly string[];
  /** Names that have to be looked up. */
  readonly names: readonly NameKind[];
  /** True: files and folders too, which the shell knows. */
  readonly files: boolean;
}

export type NameKind = 'models' | 'services' | 'backups' | 'versions';

/** Positionals by the name that a verb gives them; others are free text. */
const positionals: Readonly<Record<string, Omit<Candidates, 'words'> & { readonly words?: string[] }>> = {
  name: { names: ['models'], files: false },
  names: { names: ['models'], files: true },
  models: { names: ['models'], files: false },
  services: { names: ['services'], files: false },
  service: { names: ['services'], files: false },
  id: { names: ['backups'], files: false },
  ids: { names: ['backups'], files: false },
  source: { names: [], files: true },
  file: { names: [], files: true },
  folder: { names: [], files: true },
  snapshots: { names: ['backups', 'versions'], files: false },
  'model-version': { names: ['versions'], files: false },
  other: { names: ['versions'], files: false },
  subject: { names: ['models'], files: true },
  model: { names: ['models'], files: false },
  shell: { names: [], files: false, words: ['bash', 'zsh', 'fish'] },
};

/** Options whose value is a path. */
const pathOptions = new Set([
  'file',
  'env-file',
  'to',
  'training-data',
  'metrics',
  'evolution',
  'base',
  'adapter',
]);

const nothing: Candidates = { words: [], names: [], files: false };

/** `words`: what is typed behind `aixcl`, the last one being the word that is to be completed, so far as it goes. */
export function candidates(nouns: readonly Noun[], words: readonly string[]): Candidates {
  const before = spellOut(words.slice(0, -1));
  const current = words.at(-1) ?? '';
  const typed = commandWords(before);
  const { noun, verb, rest } = commandOf(nouns, typed);
  const options = { ...globalOptions, ...verb?.options };
  const valued = optionBefore(before, options);
  if (valued) return valuesOf(...valued);
  if (current.startsWith('-') && !before.includes('--')) return { ...nothing, words: optionNames(options) };
  if (!noun) return typed.length === 0 ? { ...nothing, words: firstWords(nouns) } : nothing;
  if (!verb) return rest.length === 0 ? { ...nothing, words: noun.verbs.map(verbName) } : nothing;
  return positional(noun, verb, rest.length);
}

function commandOf(
  nouns: readonly Noun[],
  [first, second, ...others]: readonly string[],
): { noun?: Noun; verb?: Verb; rest: readonly string[] } {
  for (const noun of nouns) {
    const short = noun.verbs.find((verb) => first !== undefined && verb.short?.includes(first));
    const behind = second === undefined ? [] : [second, ...others];
    if (short) return { noun, verb: short, rest: behind };
    if (noun.name !== first) continue;
    const only = noun.verbs.find((verb) => verbName(verb) === '$0');
    if (only) return { noun, verb: only, rest: behind };
    const verb = noun.verbs.find((each) => verbName(each) === second);
    return verb ? { noun, verb, rest: others } : { noun, rest: behind };
  }
  return { rest: [] };
}

function firstWords(nouns: readonly Noun[]): string[] {
  return nouns.flatMap(({ name, verbs }) => [name, ...verbs.flatMap(({ short }) => short ?? [])]);
}

/** The option that the word before is, if it waits for a value. */
function optionBefore(
  before: readonly string[],
  options: Readonly<Record<string, Options>>,
): [name: string, option: Options] | undefined {
  const last = before.at(-1) ?? '';
  if (before.slice(0, -1).includes('--') || !last.startsWith('-')) return undefined;
  const spelled = last.replace(/^--?/, '');
  return Object.entries(options).find(
    ([name, { alias, type }]) =>
      type !== 'boolean' &&
      (last.startsWith('--') ? name === spelled : [alias].flat().includes(spelled) && spelled !== ''),
  );
}

function valuesOf(name: string, { choices }: Options): Candidates {
  if (choices) return { ...nothing, words: choices.map(String) };
  const names: NameKind[] = ['model', 'base', 'adapter'].includes(name) ? ['models'] : [];
  return { ...nothing, names, files: pathOptions.has(name) };
}

function optionNames(options: Readonly<Record<string, Options>>): string[] {
  return Object.entries(options).flatMap(([name, { hidden }]) => (hidden ? [] : `--${name}`));
}

/** A service's verbs name a service where those of a model name a model. */
function positional({ name: noun }: Noun, { name }: Verb, index: number): Candidates {
  const taken = [...name.matchAll(/[<[]([\w-]+)(\.\.)?[>\]]/g)];
  const at = taken[index] ?? (taken.at(-1)?.[2] ? taken.at(-1) : undefined);
  if (!at) return nothing;
  const kind = noun === 'service' && at[1] === 'name' ? 'service' : (at[1] ?? '');
  return { ...nothing, ...positionals[kind] };
}
