import yargs, { type Options } from 'yargs';
import { AixclError } from '../errors.ts';
import type { Noun, Verb } from './command.ts';
import { commandWords, globalOptions } from './globals.ts';
import { usageError, verbName } from './usage.ts';

export type Run = (verb: Verb) => (args: Parameters<Verb['run']>[1]) => Promise<void>;
type Parser = ReturnType<typeof yargs>;

const ownOptions = 'Options:';
const sharedOptions = 'For every command:';

/** Parses `argv` and runs the command that it names; shows help where it names none. Throws `usage` for what can't be parsed. */
export async function parse(
  argv: readonly string[],
  nouns: readonly Noun[],
  version: string,
  run: Run,
): Promise<void> {
  const parser = yargs([...argv])
    .scriptName('aixcl')
    .usage('$0 NOUN VERB: language models on this machine, with none ever lost by accident')
    .options(globalOptions)
    .parserConfiguration({ 'populate--': true, 'parse-positional-numbers': false })
    .version(version)
    .help()
    .alias('help', 'h')
    .wrap(Math.min(110, process.stdout.columns ?? 110))
    .strict()
    .check(({ _: _words, $0: _program, ...values }) => {
      const [name] =
        Object.entries(values).find(([key, value]) => key.length > 1 && Number.isNaN(value)) ?? [];
      if (name) throw new AixclError('usage', `--${kebab(name)} takes a number`, { hint: 'aixcl --help' });
      return true;
    })
    .exitProcess(false)
    .fail((message, error) => {
      // What yargs' own parser can't take comes as an error of its own.
      const wrong = error?.message.startsWith('Not enough arguments following') ? error.message : undefined;
      if (error && wrong === undefined) throw error;
      throw usageError(wrong ?? message, argv, nouns);
    });
  const [first] = commandWords(argv);
  for (const noun of nouns) {
    // To describe them all to yargs takes longer than most commands.
    if (first === undefined || isOf(noun, first)) addNoun(parser, noun, run);
  }
  grouped(parser, {});
  if (first === undefined && !argv.some((word) => /^(--help|-h|--version)$/.test(word))) {
    showHelp(parser);
    return;
  }
  await parser.parseAsync();
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function showHelp(parser: Parser): void {
  parser.showHelp((text) => process.stdout.write(`${text}\n`));
}

function isOf({ name, verbs }: Noun, word: string): boolean {
  return name === word || verbs.some(({ short }) => short?.includes(word));
}

function addNoun(parser: Parser, noun: Noun, run: Run): void {
  const addVerb = (to: Parser, command: string, verb: Verb, describe: string, before = '') =>
    to.command({
      command,
      describe,
      builder: (inner) => {
        inner.usage(`$0 ${before}${command}\n\n${verb.describe}`);
        grouped(inner.options({ ...verb.options }), verb.options ?? {});
        for (const [example, what] of verb.examples ?? []) inner.example(example, what);
        return inner;
      },
      handler: run(verb),
    });
  const [only] = noun.verbs;
  if (only && verbName(only) === '$0') {
    addVerb(parser, only.name.replace('$0', noun.name), only, noun.describe);
    return;
  }
  parser.command({
    command: noun.name,
    describe: noun.describe,
    builder: (inner) => {
      for (const verb of noun.verbs) addVerb(inner, verb.name, verb, verb.describe, `${noun.name} `);
      return grouped(inner, {});
    },
    handler: () => showHelp(parser),
  });
  for (const verb of noun.verbs) {
    const words = verb.name.split(' ').slice(1);
    for (const short of verb.short ?? []) {
      addVerb(parser, [short, ...words].join(' '), verb, `short for ${noun.name} ${verbName(verb)}`);
    }
  }
}

/** A command's own options stand first in its help. */
function grouped(parser: Parser, own: Readonly<Record<string, Options>>): Parser {
  const shown = Object.keys(own).filter((name) => !own[name]?.hidden);
  if (shown.length > 0) parser.group(shown, ownOptions);
  return parser.group([...Object.keys(globalOptions), 'help', 'version'], sharedOptions);
}
