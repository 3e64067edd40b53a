import type { Result } from '../plan/step.ts';
import type { StackDefinition } from '../stack/definition/types.ts';
import type { Gpu } from '../stack/gpu.ts';
import type { Surroundings } from '../wiring/surroundings.ts';

/** What a command gets from the command line and its surroundings. Built once in `app.ts`; commands build nothing themselves. */
export interface Context extends Surroundings {
  readonly flags: GlobalFlags;
  readonly out: Output;
  /** Asks on stderr, default no. Resolves on yes or `--yes`; throws `refused` (exit 3) on no, or without a terminal. */
  confirm(question: string): Promise<void>;
  /** The definition read again, after a file of it was written. */
  reloadDefinition(): Promise<StackDefinition>;
  /** Which GPU this machine has and the services get. Decided once. */
  gpu(): Promise<Gpu>;
  /** True for our own definition; false when `-f` or `-p` names another stack. */
  readonly ownStack: boolean;
  readonly isTerminal: boolean;
}

export interface GlobalFlags {
  readonly format: 'table' | 'json';
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly debug: boolean;
  /** Seconds to wait for another aixcl that is at work. */
  readonly waitLock: number;
  /** `auto`, `tty`, `plain`, `json` or `quiet`. */
  readonly progress: string;
  /** `--color` or `--no-color`; undefined: as the terminal and `NO_COLOR` say. */
  readonly color: boolean | undefined;
  readonly host: string | undefined;
  readonly context: string | undefined;
  readonly files: readonly string[];
  readonly projectName: string | undefined;
  readonly profiles: readonly string[];
  readonly envFiles: readonly string[];
  /** `--gpu`, where a command has it. */
  readonly gpu: string | undefined;
}

/** Data on stdout. Commands hand over data once; how it looks is decided here. */
export interface Output {
  /** One row an item in a table; in JSON one object a line, each with `type`. */
  list<T extends object>(type: string, items: readonly T[], columns: readonly Column<T>[]): Promise<void>;
  /** One thing: `text()` for people, `{type, ...value}` in JSON. */
  item<T extends object>(type: string, value: T, text: () => string): void;
  /** Outcome of a change. In JSON `{type: 'result', ...}`; for people `text`, when given. */
  result(result: Result, text?: string): void;
  /** A line of text on stdout, for streams of text such as logs. */
  line(text: string): void;
  /** A line on stderr for people, silent under `--progress quiet`. */
  note(line: string): void;
  /** A warning on stderr. */
  warn(line: string): void;
  /** Colours that fall back to plain text off a terminal. */
  readonly paint: Paint;
}

export interface Column<T> {
  readonly title: string;
  readonly value: (item: T) => string;
  readonly align?: 'left' | 'right';
}

export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
  /** One of six colours, the same for the same number. */
  tint(text: string, index: number): string;
}
