import { AixclError, exitCodes } from '../errors.ts';
import type { Noun, Verb } from './command.ts';
import type { GlobalFlags } from './context.ts';
import { firstWord, globalFlags, globalOptions, spellOut } from './globals.ts';
import { nouns } from './nouns.ts';
import { errorText } from './output/error.ts';
import { paintFor } from './output/paint.ts';

declare const AIXCL_VERSION: string;

process.exitCode = await main(spellOut(process.argv.slice(2)));
// Sockets that the engine keeps open must not hold the process; what was written goes out first.
process.stdout.write('', () => process.stderr.write('', () => process.exit()));

async function main(argv: readonly string[]): Promise<number> {
  const interruption = new AbortController();
  listenForSignals(interruption);
  listenForClosedPipes();
  let flags: GlobalFlags = globalFlags({
    format: wantsJson(argv) ? 'json' : 'table',
    debug: argv.includes('--debug'),
  });
  try {
    const { default: yargs } = await import('yargs');
    const parser = yargs([...argv])
      .scriptName('aixcl')
      .usage('$0 NOUN VERB: language models on this machine, with none ever lost by accident')
      .options(globalOptions)
      .group(Object.keys(globalOptions), 'For every command:')
      .parserConfiguration({
        'populate--': true,
        'parse-positional-numbers': false,
      })
      .version(AIXCL_VERSION)
      .help()
      .alias('help', 'h')
      .wrap(Math.min(110, process.stdout.columns ?? 110))
      .recommendCommands()
      .strict()
      .demandCommand(1, 'which command?')
      .exitProcess(false)
      .fail((message, error) => {
        throw error ?? usageError(message, argv);
      });
    const run = (verb: Verb) => async (args: Parameters<Verb['run']>[1]) => {
      flags = globalFlags(args);
      const { createApp } = await import('./app.ts');
      const app = await createApp(flags, interruption.signal);
      try {
        await verb.run(app, args);
      } finally {
        app.close();
      }
    };
    for (const noun of asked(argv)) addNoun(parser, noun, run);
    await parser.parseAsync();
    return exitCodes.done;
  } catch (thrown) {
    const error =
      interruption.signal.aborted && !isOtherFailure(thrown) ? interruption.signal.reason : thrown;
    const paint = paintFor(process.stderr, process.env, flags.color);
    process.stderr.write(`${errorText(error, { format: flags.format, debug: flags.debug, paint })}\n`);
    return error instanceof AixclError ? error.exitCode : exitCodes.unexpected;
  }
}

/** yargs answers an unknown command with nothing but its guess. */
function usageError(message: string, argv: readonly string[]): AixclError {
  const guess = /^Did you mean (.*)\?$/.exec(message)?.[1];
  if (!guess)
    return new AixclError('usage', message.replace('Unknown argument:', 'unknown word:'), {
      hint: 'aixcl --help',
    });
  const words = argv.filter((word) => !word.startsWith('-')).join(' ');
  return new AixclError('usage', `there is no command "${words}"`, {
    hint: `did you mean "${guess}"? aixcl --help lists all`,
  });
}

/** The nouns that the first word may mean: to describe them all to yargs takes longer than most commands. */
function asked(argv: readonly string[]): readonly Noun[] {
  const word = firstWord(argv);
  const one = nouns.find(
    ({ name, verbs }) =>
      name === word || verbs.some(({ short }) => word !== undefined && short?.includes(word)),
  );
  return one ? [one] : nouns;
}

type Parser = ReturnType<typeof import('yargs')['default']>;
type Run = (verb: Verb) => (args: Parameters<Verb['run']>[1]) => Promise<void>;

function addNoun(parser: Parser, noun: Noun, run: Run): void {
  const addVerb = (to: Parser, command: string, verb: Verb, describe: string | false) =>
    to.command({
      command,
      describe,
      builder: (inner) => {
        inner.options({ ...verb.options });
        for (const [example, what] of verb.examples ?? []) inner.example(example, what);
        return inner;
      },
      handler: run(verb),
    });
  const [only] = noun.verbs;
  if (noun.verbs.length === 1 && only?.name.startsWith('$0')) {
    addVerb(parser, only.name.replace('$0', noun.name), only, noun.describe);
    return;
  }
  parser.command(noun.name, noun.describe, (inner) => {
    for (const verb of noun.verbs) addVerb(inner, verb.name, verb, verb.describe);
    return inner.demandCommand(1, `aixcl ${noun.name}: which command?`);
  });
  for (const verb of noun.verbs) {
    const words = verb.name.split(' ').slice(1);
    for (const short of verb.short ?? []) {
      addVerb(parser, [short, ...words].join(' '), verb, `Short for ${noun.name} ${verb.name.split(' ')[0]}`);
    }
  }
}

function listenForSignals(interruption: AbortController): void {
  const interrupt = (code: 'interrupted' | 'terminated', signal: string) => () => {
    if (interruption.signal.aborted) process.exit(exitCodes[code]);
    interruption.abort(
      new AixclError(code, `stopped by ${signal}`, {
        hint: 'Run the same command again: it goes on from where things stand.',
      }),
    );
  };
  process.on('SIGINT', interrupt('interrupted', 'Ctrl-C'));
  process.on('SIGTERM', interrupt('terminated', 'SIGTERM'));
}

/** A reader that went away (`aixcl ls | head -1`) is no error. */
function listenForClosedPipes(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.done);
    throw error;
  });
}

/** An error of ours that says more than that the command was interrupted. */
function isOtherFailure(error: unknown): boolean {
  return error instanceof AixclError && error.code !== 'interrupted' && error.code !== 'terminated';
}

/** Asked before yargs has parsed anything, for errors about the arguments themselves. */
function wantsJson(argv: readonly string[]): boolean {
  return (
    argv.includes('--format=json') || argv.some((word, at) => word === 'json' && argv[at - 1] === '--format')
  );
}
