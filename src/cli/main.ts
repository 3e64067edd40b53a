import type { Arguments } from 'yargs';
import { AixclError, exitCodes } from '../errors.ts';
import type { Verb } from './command.ts';
import type { GlobalFlags } from './context.ts';
import { globalFlags, spellOut } from './globals.ts';
import { nouns } from './nouns.ts';
import { quickParse } from './quick-parse.ts';
import { endWithReader, interruptionSignal } from './signals.ts';

declare const AIXCL_VERSION: string;

process.exitCode = await main(spellOut(process.argv.slice(2)));
// Sockets that the engine keeps open must not hold the process. What was written to stderr is out: files, pipes and terminals take it at once.
process.stdout.write('', () => setImmediate(() => process.exit()));

async function main(argv: readonly string[]): Promise<number> {
  const signal = interruptionSignal();
  endWithReader();
  let flags: GlobalFlags = globalFlags({
    format: wantsJson(argv) ? 'json' : 'table',
    debug: argv.includes('--debug'),
  });
  const run = (verb: Verb) => async (args: Arguments) => {
    flags = globalFlags(args);
    const { createApp } = await import('./app.ts');
    const app = await createApp(flags, signal);
    try {
      await verb.run(app, args);
    } finally {
      app.close();
    }
  };
  try {
    const plain = quickParse(argv, nouns);
    if (plain) await run(plain.verb)(plain.args);
    else await explain(argv, run);
    // A stream that was watched until Ctrl-C ends without a word, as `docker logs -f` does.
    return signal.aborted ? signal.reason.exitCode : exitCodes.done;
  } catch (thrown) {
    const error = signal.aborted && !isOtherFailure(thrown) ? signal.reason : thrown;
    const { errorText } = await import('./output/error.ts');
    const { paintFor } = await import('./output/paint.ts');
    const paint = await paintFor(process.stderr, process.env, flags.color);
    process.stderr.write(`${errorText(error, { format: flags.format, debug: flags.debug, paint })}\n`);
    return error instanceof AixclError ? error.exitCode : exitCodes.unexpected;
  }
}

/** Whatever is not a plain command: help, the version, a mistake. */
async function explain(
  argv: readonly string[],
  run: (verb: Verb) => (args: Arguments) => Promise<void>,
): Promise<void> {
  const { unknownCommand } = await import('./usage.ts');
  const unknown = unknownCommand(argv, nouns);
  if (unknown) throw unknown;
  const { parse } = await import('./parser.ts');
  await parse(argv, nouns, AIXCL_VERSION, run);
}

/** An error of ours that says more than that the command was interrupted. */
function isOtherFailure(error: unknown): boolean {
  return error instanceof AixclError && error.code !== 'interrupted' && error.code !== 'terminated';
}

/** Asked before yargs has parsed anything, for errors about the arguments themselves. */
function wantsJson(argv: readonly string[]): boolean {
  return argv.includes('--format=json') || argv[argv.indexOf('--format') + 1] === 'json';
}
