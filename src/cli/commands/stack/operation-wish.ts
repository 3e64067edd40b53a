import type { Arguments } from 'yargs';
import type { OperationWish } from '../../../wiring/operation.ts';
import type { Context } from '../../context.ts';
import { calledAs, namesOf } from './selection.ts';

/** A command on the stack as the journal knows it: as it was typed, with what names another stack than the home's own. */
export function operationWish({ flags }: Context, argv: Arguments, verb: string): OperationWish {
  const files = flags.files.flatMap((file) => ['--file', file]);
  const project = flags.projectName === undefined ? [] : ['--project-name', flags.projectName];
  return { command: [calledAs(argv, verb), ...files, ...project].join(' '), targets: namesOf(argv) };
}
