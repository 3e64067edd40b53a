import { expect, test } from 'vitest';
import { globalFlags, spellOut } from './globals.ts';

const spelled = (line: string) => spellOut(line.split(' ')).join(' ');

test.each([
  ['-f x.yaml stack start', '--file x.yaml stack start'],
  ['stack start -f x.yaml', 'stack start --file x.yaml'],
  ['stack -f x.yaml start web', 'stack --file x.yaml start web'],
  ['-f a.yaml -f b.yaml up', '--file a.yaml --file b.yaml up'],
  ['-f=x.yaml up', '--file x.yaml up'],
  ['-fx.yaml up', '--file x.yaml up'],
])('before and behind other commands -f is a file: %s', (line, expected) => {
  expect(spelled(line)).toBe(expected);
});

test.each([
  'journal -f',
  'stack logs -f',
  'logs -f',
  'logs web -f',
  'service logs web -f',
  'logs -ft',
  'stack logs -f -t',
])('behind logs -f means to follow: %s', (line) => {
  expect(spelled(line)).toBe(line);
});

test.each(['-5 % loss', '- first\n- second', '-f', '-', '--- x', '--not an option'])(
  'a description or a reason may begin with a dash: %j',
  (text) => {
    for (const option of ['--description', '--reason']) {
      expect(spellOut(['versions', 'create', 'tea', option, text, '-y'])).toEqual([
        'versions',
        'create',
        'tea',
        `${option}=${text}`,
        '-y',
      ]);
    }
  },
);

test('an option in the place of a description is none', () => {
  const argv = ['versions', 'create', 'tea', '--description', '--metrics', 'm.json'];
  expect(spellOut(argv)).toEqual(argv);
});

test.each([
  ['-f x.yaml logs -f web', '--file x.yaml logs -f web'],
  ['-H unix:///x logs -f', '-H unix:///x logs -f'],
  ['-p logs up -f x.yaml', '-p logs up --file x.yaml'],
  ['--profile logs stack start -f x.yaml', '--profile logs stack start --file x.yaml'],
  ['service restart logs -f x.yaml', 'service restart logs --file x.yaml'],
  ['models add logs -f x.yaml', 'models add logs --file x.yaml'],
  ['-f logs stack start -f y', '--file logs stack start --file y'],
])('the word "logs" counts only as the command: %s', (line, expected) => {
  expect(spelled(line)).toBe(expected);
});

test('what stands behind -- is left alone', () => {
  expect(spelled('models set m -- -f x')).toBe('models set m -- -f x');
});

test('-f as the last word keeps its place, for yargs to complain about', () => {
  expect(spelled('up -f')).toBe('up --file');
});

test('flags that were not given are as they are documented', () => {
  expect(globalFlags({})).toEqual({
    format: 'table',
    yes: false,
    dryRun: false,
    debug: false,
    waitLock: 0,
    progress: 'auto',
    color: undefined,
    host: undefined,
    context: undefined,
    files: [],
    projectName: undefined,
    profiles: [],
    envFiles: [],
    gpu: undefined,
  });
});

test('an empty host or context is none, as it is for the Docker CLI', () => {
  expect(globalFlags({ host: '', context: '' })).toMatchObject({ host: undefined, context: undefined });
});
