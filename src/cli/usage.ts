import { AixclError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import type { Noun, Verb } from './command.ts';
import { commandWords } from './globals.ts';

/** What to say of arguments that no command understands; undefined when the words name a command. */
export function unknownCommand(argv: readonly string[], nouns: readonly Noun[]): AixclError | undefined {
  const [first, second] = commandWords(argv);
  if (first === undefined) return undefined;
  if (nouns.some(({ verbs }) => verbs.some(({ short }) => short?.includes(first)))) return undefined;
  const noun = nouns.find(({ name }) => name === first);
  if (!noun) return noSuchCommand(first, guess(first, nouns));
  const verbs = noun.verbs.map(verbName);
  if (second === undefined || verbs.includes('$0') || verbs.includes(second)) return undefined;
  const near = nearest(second, verbs);
  return noSuchCommand(`${first} ${second}`, near && `${first} ${near}`);
}

function noSuchCommand(words: string, meant: string | undefined): AixclError {
  return new AixclError('usage', `there is no command "${words}"`, {
    hint: meant ? `Did you mean this? aixcl ${meant}` : 'aixcl --help lists all commands.',
  });
}

/** A verb that was given without its noun, else the nearest word of the top level. */
function guess(word: string, nouns: readonly Noun[]): string | undefined {
  const owner = nouns.find(({ verbs }) => verbs.some((verb) => verbName(verb) === word));
  if (owner) return `${owner.name} ${word}`;
  return nearest(word, [
    ...nouns.map(({ name }) => name),
    ...nouns.flatMap(({ verbs }) => verbs.flatMap(({ short }) => short ?? [])),
  ]);
}

export function verbName({ name }: { readonly name: string }): string {
  return name.split(' ')[0] ?? name;
}

/** yargs' words on arguments that it can't take, made into one clear line. */
export function usageError(message: string, argv: readonly string[], nouns: readonly Noun[]): AixclError {
  const { command, verb } = commandOf(argv, nouns);
  const hint = `aixcl ${command} --help`;
  const unknown = /^Unknown arguments?: (.*)$/.exec(message)?.[1]?.split(', ');
  if (unknown) return new AixclError('usage', unknownArgument(unknown, argv), { hint });
  if (/^Not enough non-option arguments/.test(message)) {
    const missing = /<([\w-]+)/.exec(verb?.name ?? '')?.[1] ?? 'argument';
    return new AixclError('usage', `aixcl ${command}: ${missing.toUpperCase()} is missing`, { hint });
  }
  const [, option] = /^Not enough arguments following: (\S+)/.exec(message) ?? [];
  if (option) {
    const name = option.length > 1 ? `--${option}` : `-${option}`;
    return new AixclError('usage', `${name} takes a value, and none follows it`, {
      hint: option.length > 1 ? `One that begins with a dash is written ${name}=VALUE` : hint,
    });
  }
  const choices = /Argument: (\S+), Given: (.*), Choices: (.*)/.exec(message);
  if (choices) {
    return new AixclError('usage', `--${choices[1]} takes ${choices[3]}, not ${choices[2]}`, { hint });
  }
  return new AixclError('usage', message.replace(/\s+/g, ' ').trim(), { hint });
}

/** The command that the first words name, as far as they name one. */
function commandOf(
  argv: readonly string[],
  nouns: readonly Noun[],
): { command: string; verb: Verb | undefined } {
  const [first = '', second] = commandWords(argv);
  const verbs = nouns.flatMap((noun) => noun.verbs.map((verb) => ({ noun, verb })));
  const short = verbs.find(({ verb }) => verb.short?.includes(first));
  if (short) return { command: first, verb: short.verb };
  const long = verbs.find(({ noun, verb }) => noun.name === first && verbName(verb) === second);
  return long ? { command: `${first} ${second}`, verb: long.verb } : { command: first, verb: undefined };
}

/** yargs names an option without its dashes, and a cluster (`-ab`) letter by letter. */
function unknownArgument(names: readonly string[], argv: readonly string[]): string {
  const option = argv.find(
    (word) => /^-/.test(word) && names.some((name) => word.replace(/^-+/, '').split('=')[0] === name),
  );
  const cluster = argv.find((word) => /^-[a-z]/i.test(word) && names.some((name) => word.includes(name)));
  const found = option ?? cluster;
  return found ? `there is no option ${found.split('=')[0]}` : `one word too many: ${names.join(', ')}`;
}
