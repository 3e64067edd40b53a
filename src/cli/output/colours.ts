import { Chalk } from 'chalk';
import type { Paint } from '../context.ts';

const chalk = new Chalk({ level: 1 });
const tints = [chalk.cyan, chalk.yellow, chalk.green, chalk.magenta, chalk.blue, chalk.red];

/** The sixteen colours that every terminal has. */
export const colours: Paint = {
  bold: (text) => chalk.bold(text),
  dim: (text) => chalk.dim(text),
  good: (text) => chalk.green(text),
  warn: (text) => chalk.yellow(text),
  bad: (text) => chalk.red(text),
  tint: (text, index) => tints[index % tints.length]?.(text) ?? text,
};
