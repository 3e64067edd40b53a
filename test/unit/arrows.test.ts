import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/**
 * What each folder of src/ may import (docs/architecture.md). `files` are those that lie in src/ itself. Nouns may know each other, one
 * way round: that is the last test's matter.
 */
const nouns = ['stack', 'models', 'vault', 'consolidate', 'doctor'];
const allowed: Readonly<Record<string, readonly string[]>> = {
  files: ['files'],
  plan: ['files', 'plan'],
  stack: ['files', 'plan', ...nouns],
  models: ['files', 'plan', ...nouns],
  vault: ['files', 'plan', ...nouns],
  consolidate: ['files', 'plan', ...nouns],
  doctor: ['files', 'plan', ...nouns],
  adapters: ['files', 'plan', 'adapters', ...nouns],
  wiring: ['files', 'plan', 'wiring', 'adapters', ...nouns],
  upload: ['files', 'plan', 'upload', ...nouns],
  cli: ['files', 'plan', 'cli', ...nouns],
};

/**
 * Of the front ends those who wire domain and adapters. In cli/: `app.ts`, and what a verb loads when it runs; the rest is loaded by every
 * command. In upload/: `app.ts` and what lies in folders, but for what runs in the browser.
 */
const wires = /^(cli\/(app|commands\/[^/]+\/.+)|upload\/(app|(?!page\/)[^/]+\/.+))\.ts$/;
/** The browser gets its own code, and what both sides say to each other. */
const ofThePage = /^upload\/(page\/.+|api\.ts)$/;

interface Import {
  /** Paths inside src/. */
  readonly from: string;
  readonly to: string;
  readonly kind: 'value' | 'type' | 'dynamic';
}

const src = fileURLToPath(new URL('../../src/', import.meta.url));

test('imports run one way: front ends, nouns, plan; adapters are known to those who wire them', () => {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(isSource);
  expect(files.length).toBeGreaterThan(10);
  expect(
    files.flatMap((file) => importsOf(file, readFileSync(join(src, file), 'utf8'))).filter(isBackwards),
  ).toEqual([]);
});

test('no two nouns import each other', () => {
  const arrows = new Set<string>();
  for (const file of readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(isSource)) {
    for (const { from, to } of importsOf(file, readFileSync(join(src, file), 'utf8'))) {
      const [a, b] = [folderOf(from), folderOf(to)];
      if (a !== b && nouns.includes(a) && nouns.includes(b)) arrows.add(`${a} → ${b}`);
    }
  }
  const both = [...arrows].filter((arrow) => arrows.has(arrow.split(' → ').reverse().join(' → ')));
  expect(both).toEqual([]);
});

test.each([
  ['plan/step.ts', `import type { A } from '../stack/engine.ts';`],
  ['errors.ts', `import { a } from './stack/engine.ts';`],
  ['stack/observe.ts', `import { a } from '../cli/confirm.ts';`],
  ['stack/observe.ts', `export { a } from '../adapters/docker/connect.ts';`],
  ['models/add.ts', `const a = await import('../adapters/files.ts');`],
  ['adapters/docker/connect.ts', `import { a } from '../../cli/app.ts';`],
  ['cli/commands/stack.ts', `import {\n  a,\n  b,\n} from '../../adapters/docker/connect.ts';`],
  ['upload/routes.ts', `import { a } from '../cli/app.ts';`],
  ['upload/routes.ts', `import { a } from '../adapters/durable.ts';`],
  ['upload/page/app.tsx', `import { a } from '../server.ts';`],
  ['wiring/vault.ts', `import { a } from '../cli/app.ts';`],
  ['cli/parser.ts', `import { a } from '../wiring/vault.ts';`],
])('an arrow that runs backwards is found: %s, %s', (file, source) => {
  expect(importsOf(file, source).filter(isBackwards)).toHaveLength(1);
});

test.each([
  ['cli/app.ts', `import { a } from '../adapters/docker/connect.ts';`],
  ['cli/commands/models/add.ts', `import { a } from '../../../adapters/files.ts';`],
  ['upload/page/app.tsx', `import type { PageState } from '../api.ts';`],
  ['upload/receive/store.ts', `import { a } from '../../adapters/durable.ts';`],
  ['cli/commands/models.ts', `const { a } = await import('../../adapters/files.ts');`],
  ['cli/commands/models.ts', `import type { A } from '../../adapters/files.ts';`],
  ['adapters/docker/connect.ts', `import type { Engine } from '../../stack/engine.ts';`],
  ['vault/blob.ts', `import { readFile } from 'node:fs/promises';\nimport { z } from 'zod';`],
])('an arrow that runs forwards is let through: %s, %s', (file, source) => {
  expect(importsOf(file, source).filter(isBackwards)).toEqual([]);
});

/** Tests, and the `test-*.ts` that several tests share, wire what they try, as `app.ts` does. */
function isSource(file: string): boolean {
  return /\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file) && !basename(file).startsWith('test-');
}

function isBackwards({ from, to, kind }: Import): boolean {
  const folder = folderOf(from);
  if (from.startsWith('upload/page/')) return !ofThePage.test(to);
  const wired = ['adapters', 'wiring'].includes(folderOf(to));
  if (wired && ['cli', 'upload'].includes(folder)) return kind === 'value' && !wires.test(from);
  return !(allowed[folder] ?? []).includes(folderOf(to));
}

function folderOf(file: string): string {
  const [folder, ...rest] = file.split('/');
  return rest.length === 0 ? 'files' : (folder as string);
}

function importsOf(file: string, source: string): Import[] {
  const found: Import[] = [];
  const add = (path: string, kind: Import['kind']) => {
    if (path.startsWith('.'))
      found.push({ from: file, to: relative(src, join(src, dirname(file), path)), kind });
  };
  for (const [, type, path] of source.matchAll(/^(?:import|export)\s+(type\s)?[^'";]*?from\s*'([^']+)'/gm)) {
    add(path as string, type ? 'type' : 'value');
  }
  for (const [, path] of source.matchAll(/^import\s*'([^']+)'/gm)) add(path as string, 'value');
  for (const [, of, path] of source.matchAll(/(typeof\s+)?\bimport\(\s*'([^']+)'\s*,?\s*\)/g)) {
    add(path as string, of ? 'type' : 'dynamic');
  }
  return found;
}
