import { expect, test } from 'vitest';
import { nouns } from './nouns.ts';
import { unknownCommand, usageError } from './usage.ts';

const unknown = (line: string) => {
  const error = unknownCommand(line.split(' ').filter(Boolean), nouns);
  return error && `${error.code}: ${error.message} / ${error.hint}`;
};

test.each([
  ['stakc start', 'usage: there is no command "stakc" / Did you mean this? aixcl stack'],
  ['stack strat', 'usage: there is no command "stack strat" / Did you mean this? aixcl stack start'],
  ['start', 'usage: there is no command "start" / Did you mean this? aixcl stack start'],
  ['activate m.gguf', 'usage: there is no command "activate" / Did you mean this? aixcl models activate'],
  ['xyzzy', 'usage: there is no command "xyzzy" / aixcl --help lists all commands.'],
])('%s is no command, and the nearest one is named', (line, expected) => {
  expect(unknown(line)).toBe(expected);
});

test.each([
  '',
  'stack',
  'stack start',
  '--host x up web',
  'quickstart',
  'logs -f',
  'models add x.gguf',
  'up -- x',
])('"%s" is a command, or asks for help', (line) => {
  expect(unknown(line)).toBeUndefined();
});

test.each([
  ['Unknown argument: gpuu', 'stack start --gpuu=amd', 'there is no option --gpuu'],
  ['Unknown argument: extra', 'stack status --watch extra', 'one word too many: extra'],
  [
    'Not enough non-option arguments: got 0, need at least 1',
    'models activate',
    'aixcl models activate: NAME is missing',
  ],
  [
    'Invalid values:\n  Argument: pull, Given: "allways", Choices: "always", "missing", "never"',
    'stack start --pull allways',
    '--pull takes "always", "missing", "never", not "allways"',
  ],
])('%j is said in one clear line', (message, line, expected) => {
  const error = usageError(message, line.split(' '), nouns);
  expect(error.message).toBe(expected);
  expect(error.hint).toMatch(/^aixcl (stack|models) [a-z]+ --help$/);
});
