import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Intake } from '../../../models/intake.ts';
import { writeSelfTestModel } from '../../../models/self-test-model.ts';
import type { Result } from '../../../plan/step.ts';
import type { Context } from '../../context.ts';
import { addSources } from './add.ts';

/** Replaces parts of the intake, for what a real disk does not do on demand. */
const own = vi.hoisted(() => ({ intake: {} as Partial<Intake> }));
vi.mock('../../../adapters/models-directory/intake.ts', async (original) => {
  const real = await original<typeof import('../../../adapters/models-directory/intake.ts')>();
  return { intakeInto: (path: string) => ({ ...real.intakeInto(path), ...own.intake }) };
});

let root: string;
let models: string;
let first: string;
let other: string;
beforeEach(async () => {
  own.intake = {};
  root = await mkdtemp(join(tmpdir(), 'aixcl-add-'));
  models = join(root, 'models');
  await mkdir(join(root, 'other'));
  first = join(root, 'a.gguf');
  other = join(root, 'other', 'a.gguf');
  await writeSelfTestModel(first);
  await writeSelfTestModel(other, 'Something quite different.');
});
afterEach(() => rm(root, { recursive: true }));

const task = { update() {}, succeed() {}, fail() {} };

/** What `addSources` printed, and how it ended. */
async function added(
  sources: readonly string[],
  { dryRun = false }: { dryRun?: boolean } = {},
): Promise<{ result: Result | undefined; notes: string[]; error: unknown }> {
  let result: Result | undefined;
  const notes: string[] = [];
  const same = (text: string) => text;
  const context = {
    flags: { dryRun },
    home: { root, models },
    signal: new AbortController().signal,
    progress: { start: () => task },
    confirm: async () => {},
    out: {
      note: (line: string) => notes.push(line),
      result: (given: Result) => {
        result = given;
      },
      paint: { bad: same },
    },
  } as unknown as Context;
  const error = await addSources(context, sources).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { result, notes, error };
}

test('where the run would refuse, the dry run fails with the same error', async () => {
  await added([first]);
  const run = await added([other]);
  const dry = await added([other], { dryRun: true });
  expect(dry.error).toMatchObject({ code: 'refused', exitCode: 3 });
  expect(dry.error).toEqual(run.error);
});

test('of several sources, the dry run says which would be refused, and ends as the run would', async () => {
  await added([first]);
  const fresh = join(root, 'b.gguf');
  await writeSelfTestModel(fresh);
  const dry = await added([fresh, other], { dryRun: true });
  expect(dry.result?.changed).toBe(false);
  expect(dry.result?.steps.map(({ target, outcome }) => `${target} ${outcome}`)).toEqual([
    'b.gguf planned',
    'a.gguf failed',
  ]);
  expect(dry.error).toMatchObject({ code: 'partly', exitCode: 5 });
  expect(existsSync(join(models, 'b.gguf'))).toBe(false);
});

test('where the disk is too small, the dry run fails with the same error', async () => {
  own.intake = { space: async () => ({ free: 1000, total: 1_000_000 }) };
  const run = await added([first]);
  const dry = await added([first], { dryRun: true });
  expect(dry.error).toMatchObject({ code: 'noSpace', exitCode: 8 });
  expect(dry.error).toEqual(run.error);
  const several = await added([first, 'nowhere.gguf'], { dryRun: true });
  expect(several.error).toMatchObject({ exitCode: 8 });
  expect(several.result?.steps.map(({ target, outcome }) => `${target} ${outcome}`)).toEqual([
    'nowhere.gguf failed',
    'a.gguf failed',
  ]);
});

test('what the run would ask, the dry run tells', async () => {
  own.intake = { space: async () => ({ free: 1_000_000, total: 1_000_000_000 }) };
  const { notes, error } = await added([first], { dryRun: true });
  expect(error).toBeUndefined();
  expect(notes.join('\n')).toContain('less than a tenth');
});

test('a failure that nobody foresaw ends the command as that, and loses no result of the others', async () => {
  const fresh = join(root, 'b.gguf');
  await writeSelfTestModel(fresh);
  const crash = new TypeError('nobody foresaw this');
  own.intake = {
    standing: async (name) => {
      if (name === 'a.gguf') throw crash;
      return undefined;
    },
  };
  const { result, error } = await added([first, fresh]);
  expect(result?.steps.map(({ target, outcome }) => `${target} ${outcome}`).sort()).toEqual(
    ['b.gguf done', `${first} failed`].sort(),
  );
  expect(error).toBe(crash);
});

test('what may be secret in an address is not shown when it fails', async () => {
  const { result, error } = await added(['https://user:secret@h/a.zip?secret', 'llama3.2:1b']);
  expect(JSON.stringify(result)).toContain('https://h/a.zip');
  expect(JSON.stringify([result, (error as Error).message, error])).not.toContain('secret');
});
