import type { Arguments, Options } from 'yargs';
import parse from 'yargs-parser';
import type { Noun, Verb } from './command.ts';
import { globalOptions } from './globals.ts';
import { verbName } from './usage.ts';

export interface Parsed {
  readonly verb: Verb;
  readonly args: Arguments;
}

type Named = Readonly<Record<string, Options>>;

/**
 * A plain command line, read by the parser that yargs itself uses, without the rest of yargs: describing every command to it takes longer
 * than most commands run. Undefined for whatever needs more than that — help, a mistake to explain — which is yargs' own.
 */
export function quickParse(argv: readonly string[], nouns: readonly Noun[]): Parsed | undefined {
  const found = findVerb(parse([...argv], { configuration, ...shapeOf(globalOptions) })._.map(String), nouns);
  if (!found) return undefined;
  const options = { ...globalOptions, ...found.verb.options };
  const { argv: read, error } = parse.detailed([...argv], { configuration, ...shapeOf(options) });
  if (error) return undefined;
  const { _: words, '--': rest, ...values } = read;
  const again = findVerb(words.map(String), nouns);
  if (again?.verb !== found.verb || !allValid(values, options)) return undefined;
  const named = found.verb.passesOn ? [] : (rest ?? []).map(String);
  const positionals = takePositionals(found.verb, [...again.rest, ...named]);
  if (!positionals) return undefined;
  return {
    verb: found.verb,
    args: { ...values, ...positionals, ...(rest && { '--': rest }), _: words, $0: 'aixcl' } as Arguments,
  };
}

const configuration = { 'populate--': true, 'parse-positional-numbers': false };

function findVerb(
  words: readonly string[],
  nouns: readonly Noun[],
): { verb: Verb; rest: readonly string[] } | undefined {
  const [first, second, ...others] = words;
  if (first === undefined) return undefined;
  for (const { name, verbs } of nouns) {
    const short = verbs.find((verb) => verb.short?.includes(first));
    if (short) return { verb: short, rest: words.slice(1) };
    if (name !== first) continue;
    const only = verbs.find((verb) => verbName(verb) === '$0');
    if (only) return { verb: only, rest: words.slice(1) };
    const verb = verbs.find((each) => verbName(each) === second);
    return verb && { verb, rest: others };
  }
  return undefined;
}

/** Options in yargs' form as yargs hands them to its parser. */
function shapeOf(options: Named): parse.Options {
  const entries = Object.entries(options);
  const of = (test: (option: Options) => unknown) =>
    entries.filter(([, option]) => test(option)).map(([name]) => name);
  return {
    array: of(({ array }) => array),
    boolean: of(({ type }) => type === 'boolean'),
    number: of(({ type }) => type === 'number'),
    string: of(({ type, choices }) => type === 'string' || choices),
    narg: Object.fromEntries(
      entries.flatMap(([name, { nargs, requiresArg }]) => (nargs || requiresArg ? [[name, nargs ?? 1]] : [])),
    ),
    alias: Object.fromEntries(
      entries.flatMap(([name, { alias }]) => (alias ? [[name, alias as string]] : [])),
    ),
    default: Object.fromEntries(
      entries.flatMap(([name, option]) => (option.default === undefined ? [] : [[name, option.default]])),
    ),
  };
}

/** Known options only, each given once and with a value that it takes, and all that have to be given. */
function allValid(values: Readonly<Record<string, unknown>>, options: Named): boolean {
  const camel = (name: string) => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const known = new Map<string, Options>();
  for (const [name, option] of Object.entries(options)) {
    for (const spelling of [name, camel(name), ...[option.alias ?? []].flat()]) known.set(spelling, option);
  }
  const isLacking = ([name, { demandOption }]: [string, Options]) =>
    demandOption === true && values[name] === undefined;
  if (Object.entries(options).some(isLacking)) return false;
  return Object.entries(values).every(([key, value]) => {
    const option = known.get(key);
    if (!option) return false;
    if (Array.isArray(value))
      return option.array === true && value.every((each) => typeof each === 'string' && each !== '');
    if (value === undefined) return true;
    if (option.choices) return option.choices.includes(value as string);
    if (option.type === 'number') return typeof value === 'number' && !Number.isNaN(value);
    return option.type === 'string' ? typeof value === 'string' && value !== '' : typeof value === 'boolean';
  });
}

/** Words by the names that the verb gives them: `<name>`, `[services..]`. Undefined for too few or too many. */
function takePositionals(
  verb: Verb,
  words: readonly string[],
): Record<string, string | readonly string[]> | undefined {
  const taken: Record<string, string | readonly string[]> = {};
  let left = words;
  for (const [, name = '', many] of verb.name.matchAll(/[<[]([\w-]+)(\.\.)?[>\]]/g)) {
    const required = verb.name.includes(`<${name}`);
    if (required && left.length === 0) return undefined;
    const [first] = left;
    if (many && left.length > 0) taken[name] = left;
    else if (first !== undefined && !many) taken[name] = first;
    left = many ? [] : left.slice(1);
  }
  return left.length === 0 ? taken : undefined;
}
