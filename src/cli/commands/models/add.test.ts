import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AixclError } from '../../../errors.ts';
import { resolveHome } from '../../../home.ts';
import type { Intake } from '../../../models/intake.ts';
import { writeSelfTestModel } from '../../../models/self-test-model.ts';
import type { Result } from '../../../plan/step.ts';
import { vaultOf } from '../../../wiring/vault.ts';
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
  { dryRun = false, agreed = true }: { dryRun?: boolean; agreed?: boolean } = {},
): Promise<{ result: Result | undefined; text: string | undefined; notes: string[]; error: unknown }> {
  let result: Result | undefined;
  let text: string | undefined;
  const notes: string[] = [];
  const same = (text: string) => text;
  const context = {
    flags: { dryRun, waitLock: 0 },
    env: {},
    home: resolveHome({ AIXCL_HOME: root }),
    signal: new AbortController().signal,
    progress: { start: () => task },
    engine: async () => {
      throw new AixclError('engineUnreachable', 'there is no engine here');
    },
    confirm: async (question: string) => {
      notes.push(question);
      if (!agreed) throw new AixclError('refused', 'not agreed to');
    },
    out: {
      note: (line: string) => notes.push(line),
      result: (given: Result, shown: string) => {
        result = given;
        text = shown;
      },
      paint: { bad: same },
    },
  } as unknown as Context;
  const error = await addSources(context, sources).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { result, text, notes, error };
}

test('a name that other bytes have is asked about before anything is done, and a no changes nothing', async () => {
  await added([first]);
  const fresh = join(root, 'b.gguf');
  await writeSelfTestModel(fresh);
  const { error, notes } = await added([fresh, other], { agreed: false });
  expect(error).toMatchObject({ code: 'refused', exitCode: 3 });
  expect(notes.join()).toContain('"a.gguf" is there with other bytes');
  expect(existsSync(join(models, 'b.gguf'))).toBe(false);
  expect(await readFile(join(models, 'a.gguf'))).toEqual(await readFile(first));
  expect(existsSync(join(root, 'vault'))).toBe(false);
});

test('a yes replaces them, and those that were there are in the vault', async () => {
  await added([first]);
  const before = await readFile(first);
  const { error, result } = await added([other]);
  expect(error).toBeUndefined();
  expect(result?.steps).toMatchObject([{ kind: 'update', target: 'a.gguf', outcome: 'done' }]);
  expect(result?.steps[0]?.because).toContain('b0001');
  expect(await readFile(join(models, 'a.gguf'))).toEqual(await readFile(other));
  const sha256 = createHash('sha256').update(before).digest('hex');
  expect(await readFile(join(root, 'vault', 'blobs', 'sha256', sha256))).toEqual(before);
  const [snapshot] = (await vaultOf({ home: resolveHome({ AIXCL_HOME: root }) } as Context).contents())
    .snapshots;
  expect(snapshot).toMatchObject({ backupType: 'pre_update', damage: null });
  expect(snapshot?.verified).not.toBeNull();
  // The same once more is kept.
  expect((await added([other])).result?.steps).toMatchObject([{ kind: 'keep', outcome: 'kept' }]);
}, 30_000);

test('the dry run tells what would be asked, and does nothing', async () => {
  await added([first]);
  const dry = await added([other], { dryRun: true });
  expect(dry.error).toBeUndefined();
  expect(dry.result).toMatchObject({ changed: false, steps: [{ kind: 'update', outcome: 'planned' }] });
  expect(dry.notes.join()).toContain('would be asked');
  expect(existsSync(join(root, 'vault'))).toBe(false);
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
  const { result, error } = await added(['https://user:secret@h/a.zip?secret', 'nowhere.gguf']);
  expect(JSON.stringify(result)).toContain('https://h/a.zip');
  expect(JSON.stringify([result, (error as Error).message, error])).not.toContain('secret');
});

test('the command to type next has the name as a shell takes it', async () => {
  const named = join(root, "It's my best (v2) – größe.gguf");
  await writeSelfTestModel(named);
  const { text } = await added([named]);
  expect(text).toContain(`next: aixcl models activate 'It'\\''s my best (v2) – größe.gguf'`);
});
