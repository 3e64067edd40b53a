import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseModelName } from '../../models/model-name.ts';
import { openStaging, reapStaging } from './staging.ts';

let models: string;
beforeEach(async () => {
  models = await mkdtemp(join(tmpdir(), 'aixcl-staging-'));
});
afterEach(() => rm(models, { recursive: true }));

const tea = parseModelName('tea.gguf');
const { signal } = new AbortController();
const options = { operation: 'op-1', patience: 0, signal };
const settled: string[] = [];
const recover = { signal, settling: async (operation: string) => void settled.push(operation) };
const left = () => readdir(join(models, '.aixcl', 'consolidating'));

test('two do not make one model at once; another one may be made', async () => {
  const first = await openStaging(models, tea, options);
  await expect(openStaging(models, tea, options)).rejects.toMatchObject({ code: 'busy' });
  const other = await openStaging(models, parseModelName('milk.gguf'), options);
  expect(other.path).not.toBe(first.path);
  await first[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
  expect(await left()).toEqual([]);
});

test('what a killed run left is gone when its model is made again, and when any other is', async () => {
  const own = await openStaging(models, tea, options);
  const { path } = own;
  await own[Symbol.asyncDispose]();
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'merged.gguf'), 'half');
  const again = await openStaging(models, tea, options);
  expect((await readdir(again.path)).sort()).toEqual(['lock', 'operation']);
  await again[Symbol.asyncDispose]();

  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'merged.gguf'), 'half');
  await writeFile(join(path, 'operation'), 'op-7');
  await reapStaging(models, recover);
  expect(await left()).toEqual([]);
  expect(settled).toEqual(['op-7']);
});

test('what one that lives is making is not reaped', async () => {
  const living = await openStaging(models, tea, options);
  await writeFile(join(living.path, 'merged.gguf'), 'half');
  await reapStaging(models, recover);
  expect(existsSync(join(living.path, 'merged.gguf'))).toBe(true);
  await living[Symbol.asyncDispose]();
});

test('where nothing was ever made there is nothing to reap', async () => {
  await reapStaging(join(models, 'nowhere'), recover);
});
