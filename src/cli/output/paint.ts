import { Chalk } from 'chalk';
import type { Paint } from '../context.ts';

/** Colours for a stream: none off a terminal, under `NO_COLOR` (https://no-color.org) or with `--no-color`. */
export function paintFor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
  wanted: boolean | undefined,
): Paint {
  const coloured = wanted ?? (stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb');
  const chalk = new Chalk({ level: coloured ? 1 : 0 });
  return {
    bold: (text) => chalk.bold(text),
    dim: (text) => chalk.dim(text),
    good: (text) => chalk.green(text),
    warn: (text) => chalk.yellow(text),
    bad: (text) => chalk.red(text),
    /** One of six colours, the same for the same number. */
    tint: (text, index) =>
      [chalk.cyan, chalk.yellow, chalk.green, chalk.magenta, chalk.blue, chalk.red][index % 6]?.(text) ??
      text,
  };
}
