import { expect, test } from 'vitest';
import type { Arguments } from 'yargs';
import { spellOut } from './globals.ts';
import { nouns } from './nouns.ts';
import { parse } from './parser.ts';
import { quickParse } from './quick-parse.ts';

const words = (line: string) => spellOut(line.split(' ').filter(Boolean));

/** What yargs itself makes of the same line. */
async function throughYargs(line: string): Promise<Record<string, unknown>> {
  let seen: Arguments | undefined;
  await parse(words(line), nouns, '1.0.0', () => async (args) => {
    seen = args;
  });
  return comparable(seen);
}

/** Without what nobody reads: the words again, and aliases of options. */
function comparable(args: Arguments | undefined): Record<string, unknown> {
  const { _: _words, $0: _program, ...rest } = args ?? { _: [], $0: '' };
  return Object.fromEntries(
    Object.entries(rest).filter(([key, value]) => key.length > 1 && value !== undefined),
  );
}

const plain = [
  'stack status',
  'ps --format json',
  'up',
  'stack start llama-server ollama --pull never --no-wait --wait-timeout 5',
  '-f a.yaml -f b.yaml -p other --profile x --profile y stack start',
  'stack logs -f --tail 5 ollama',
  'logs --since 10m -t -n all',
  'service restart llama-server -t 3',
  'models add a.gguf b.gguf --as c --yes',
  'models set a.gguf --ctx-size 4096 --no-embedding -- --threads 4 -x',
  'models activate a.gguf',
  'ls',
  'quickstart -y --gpu none',
  '--host unix:///x status --no-color --dry-run --debug --progress=json',
  'up -d',
  'versions create tea --description x --training-data a b',
];

test.each(plain)('%s is read as yargs reads it', async (line) => {
  const quick = quickParse(words(line), nouns);
  expect(quick).toBeDefined();
  expect(comparable(quick?.args)).toEqual(await throughYargs(line));
});

test.each([
  '',
  '--help',
  '--version',
  'stack',
  'stack --help',
  'nope',
  'stack nope',
  'service start',
  'models add',
  'stack status --nope',
  'ls extra',
  'up --gpu nope',
  'up --wait-timeout soon',
  'up --wait-timeout',
  '--host',
  'status --format xml',
  'models set a.gguf --ctx-size 1 --ctx-size 2',
  'versions create tea',
  'consolidate --base a.gguf --adapter b',
])('"%s" is left to yargs', (line) => {
  expect(quickParse(words(line), nouns)).toBeUndefined();
});

test('names that look like options stand behind --, but for a verb that passes on what stands there', () => {
  expect(quickParse(words('models activate -- -rf'), nouns)?.args).toMatchObject({ name: '-rf' });
  expect(quickParse(words('stack start -- a b'), nouns)?.args).toMatchObject({ services: ['a', 'b'] });
  expect(quickParse(words('models set a.gguf -- --threads 4'), nouns)?.args).toMatchObject({
    name: 'a.gguf',
    '--': ['--threads', '4'],
  });
});

test.each(['versions restore tea.gguf@v001 --as a --as b'])(
  '%s names the same version when yargs reads it',
  async (line) => {
    expect(quickParse(words(line), nouns)).toBeUndefined();
    expect(await throughYargs(line)).toMatchObject({ 'model-version': 'tea.gguf@v001' });
  },
);

test('an option without its value is a mistake in the command line, and told as that', async () => {
  for (const line of ['versions create tea --description', 'versions create tea --description --yes']) {
    await expect(throughYargs(line)).rejects.toMatchObject({
      code: 'usage',
      message: '--description takes a value, and none follows it',
    });
  }
});
