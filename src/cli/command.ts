import type { Arguments, Options } from 'yargs';
import type { Context } from './context.ts';

/** One noun of the command line. Its file stays light: a verb's `run` imports what is heavy when it is called. */
export interface Noun {
  readonly name: string;
  readonly describe: string;
  readonly verbs: readonly Verb[];
}

export interface Verb {
  /** As yargs spells a command: `add <source..>`. A noun without verbs of its own has one verb named `$0`. */
  readonly name: string;
  readonly describe: string;
  readonly options?: Readonly<Record<string, Options>>;
  readonly examples?: readonly (readonly [command: string, what: string])[];
  /** What follows `--` is passed on; otherwise it is names that may look like options. */
  readonly passesOn?: boolean;
  /** Names at the top level: `up` for `stack start`. */
  readonly short?: readonly string[];
  run(context: Context, argv: Arguments): Promise<void>;
}
