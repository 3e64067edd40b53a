// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Compose's own syntax
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { activeProfiles, activeServices } from '../../src/stack/definition/active-services.ts';
import { setInEnv } from '../../src/stack/definition/env-file.ts';
import { loadDefinition } from '../../src/stack/definition/load.ts';
import type { StackDefinition } from '../../src/stack/definition/types.ts';
import { type Case, singleFiles } from './compose-cases.ts';
import { fromCompose, fromOurs } from './compose-json.ts';
import { merges } from './compose-merges.ts';
import { refused } from './compose-refused.ts';

/**
 * Our reading of Compose files against that of Compose itself. `AIXCL_TEST_COMPOSE` names a standalone docker-compose; no engine is needed.
 */
const compose = process.env.AIXCL_TEST_COMPOSE;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'aixcl-compose-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!compose)('a Compose file means what it means to Compose', () => {
  test.each(Object.entries({ ...singleFiles, ...merges }))('%s', async (name, given) => {
    const stage = put(name, given);
    const theirs = fromCompose(JSON.parse(runCompose(stage)));
    expect(fromOurs(await load(stage), stage)).toEqual(theirs);
  });

  test.each(Object.entries(refused))('refused by both: %s', async (name, given) => {
    const stage = put(name, given);
    expect(() => runCompose(stage)).toThrow();
    const select = async () => activeServices(await load(stage), activeProfiles(stage.profiles, stage.env));
    await expect(select()).rejects.toMatchObject({ code: 'usage' });
  });

  const services = resolve(import.meta.dirname, '../../services');
  test.each([
    ['compose.yaml'],
    ['compose.yaml', 'compose.nvidia.yaml'],
    ['compose.yaml', 'compose.amd.yaml'],
  ])('what we ship: %s %s', async (...files: (string | undefined)[]) => {
    const given = { files: {}, env: { LLAMA_SERVER_IMAGE: 'mine:1' }, profiles: ['webui'] };
    const stage = {
      ...put('shipped', given),
      files: files.flatMap((file) => (file ? join(services, file) : [])),
    };
    expect(runCompose(stage, ['-q'])).toBe('');
    expect(fromOurs(await load(stage), stage)).toEqual(fromCompose(JSON.parse(runCompose(stage))));
  });
});

describe.skipIf(!compose)('the .env that aixcl writes', () => {
  test('is read by Compose as it was meant', () => {
    const values = {
      PLAIN: '/home/x/.local/share/aixcl',
      SPACES: '/a b/c',
      QUOTES: `it's "so"`,
      DOLLAR: 'a$b ${c} $$',
      HASH: 'a #b',
      BACKSLASH: 'a\\b\\',
      BACKSLASH_QUOTE: '\\"$x\\$y',
      LINES: 'one\ntwo',
      EMPTY: '',
    };
    const names = Object.keys(values);
    const lines = names.map((name) => `      ${name}: \${${name}}`).join('\n');
    const stage = put('env-file', {
      files: {
        'a.yaml': `services:\n  web:\n    image: i\n    environment:\n${lines}\n`,
        '.env': setInEnv('# kept\nPLAIN="old" # why\n', values),
      },
    });
    const { services } = JSON.parse(runCompose(stage).replaceAll('$$', '$'));
    expect(services.web.environment).toEqual(values);
  });
});

interface Stage {
  readonly files: string[];
  readonly env: Record<string, string>;
  readonly profiles: readonly string[];
  readonly folder: string;
}

function put(name: string, given: Case): Stage {
  const stage = join(folder, name.replace(/[^a-z0-9]+/gi, '-').toLowerCase());
  mkdirSync(stage, { recursive: true });
  for (const [file, content] of Object.entries(given.files)) {
    mkdirSync(dirname(join(stage, file)), { recursive: true });
    writeFileSync(join(stage, file), content);
  }
  const files = Object.keys(given.files).filter((file) => file.endsWith('.yaml'));
  return {
    folder: stage,
    files: files.map((file) => join(stage, file)),
    env: { HOME: '/home/someone', ...given.env },
    profiles: given.profiles ?? [],
  };
}

function runCompose(stage: Stage, more: string[] = []): string {
  const files = stage.files.flatMap((file) => ['-f', file]);
  const profiles = stage.profiles.flatMap((profile) => ['--profile', profile]);
  return execFileSync(compose!, [...files, ...profiles, 'config', '--format', 'json', ...more], {
    env: { PATH: process.env.PATH, ...stage.env },
    cwd: stage.folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function load(stage: Stage): Promise<StackDefinition> {
  return loadDefinition({ files: stage.files, profiles: stage.profiles, env: stage.env });
}
