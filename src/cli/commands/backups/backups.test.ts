import { appendFileSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { Arguments } from 'yargs';
import { AixclError } from '../../../errors.ts';
import { writeSelfTestModel } from '../../../models/self-test-model.ts';
import type { Result } from '../../../plan/step.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import { keeperOf } from '../../../wiring/keepers.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import type { Context } from '../../context.ts';
import { undo } from '../undo/run.ts';
import { type TestHome, testHome } from '../vault/test-home.ts';
import { create } from './create.ts';
import { remove } from './delete.ts';
import { list } from './list.ts';
import { restore, targetOf } from './restore.ts';
import { verify } from './verify.ts';

/** Blocks of one byte that every disk says it has left; undefined: what it has. */
const full = vi.hoisted((): { free: number | undefined } => ({ free: undefined }));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const statfs = async (path: string) => {
    const stats = await real.statfs(path);
    return full.free === undefined ? stats : { ...stats, bsize: 1, bavail: full.free };
  };
  return { ...real, statfs };
});

interface Told {
  readonly listed: readonly { readonly id: string; readonly damage: string | null }[];
  readonly notes: readonly string[];
  readonly result: Result | undefined;
  readonly error: unknown;
}

/** Runs a command, and answers all that it told. */
async function told(
  home: TestHome,
  command: (context: Context, argv: Arguments) => Promise<void>,
  argv: Record<string, unknown> = {},
): Promise<Told> {
  const listed: Told['listed'][number][] = [];
  const notes: string[] = [];
  const out = {
    ...home.context.out,
    list: async (_: string, items: readonly unknown[]) => {
      listed.push(...(items as Told['listed']));
    },
    note: (line: string) => notes.push(line),
    warn: (line: string) => notes.push(line),
  };
  const context = { ...home.context, out } as unknown as Context;
  const { result, error } = await home.run(() => command(context, argv as unknown as Arguments));
  return { listed, notes, result, error };
}

async function withModel(): Promise<TestHome> {
  const home = await testHome();
  await mkdir(home.context.home.models);
  await writeSelfTestModel(join(home.context.home.models, 'tea.gguf'));
  return home;
}

/** A good backup, b0001, and one of what became of the model: b0002. */
async function damaged(home: TestHome): Promise<void> {
  const path = join(home.context.home.models, 'tea.gguf');
  const keeper = await keeperOf(home.context, 'llama-server');
  await keeper.verify((await keeper.find('tea.gguf'))!, { signal: home.context.signal });
  await told(home, create);
  const bytes = await readFile(path);
  bytes[bytes.length - 5]! ^= 1;
  await writeFile(path, bytes);
  await told(home, create, { names: ['tea.gguf'] });
}

test('verify of a backup that was damaged when it was saved fails, as long as it is there', async () => {
  await using home = await withModel();
  await damaged(home);
  for (let time = 1; time <= 2; time++) {
    const { result, error } = await told(home, verify, { ids: ['b0002'] });
    expect(result?.steps).toMatchObject([
      { target: 'b0002', outcome: 'failed', because: expect.stringContaining('as it was saved') },
    ]);
    expect(error).toMatchObject({ code: 'verification' });
  }
  expect((await told(home, verify, { ids: ['b0001'] })).error).toBeUndefined();
});

test('verify tells what is so now, not what was noted before the vault was healed', async () => {
  await using home = await withModel();
  await told(home, create);
  const vault = vaultOf(home.context);
  const { snapshots } = await vault.contents();
  const blob = vault.blobPath(snapshots[0]!.files[0]!.digest);
  const right = await readFile(blob);
  await rm(blob);
  await writeFile(blob, Buffer.alloc(right.length));
  expect((await told(home, verify)).error).toMatchObject({ code: 'verification' });
  expect((await told(home, list)).listed).toMatchObject([
    { damage: expect.stringContaining('in the vault') },
  ]);
  await writeFile(blob, right);
  const { result, error } = await told(home, verify);
  expect(error).toBeUndefined();
  expect(result?.steps).toMatchObject([{ outcome: 'done', because: 'every byte of tea.gguf is right' }]);
  expect((await told(home, list)).listed).toMatchObject([{ damage: null }]);
});

test('while the index can not be read, each command names that, and no model is called damaged', async () => {
  await using home = await withModel();
  await told(home, create);
  await writeFile(join(home.context.home.vault, 'index.json'), '{');
  const error = {
    code: 'verification',
    message: expect.stringContaining('index.json'),
    hint: expect.stringContaining('aixcl vault verify'),
  };
  expect((await told(home, create, { names: ['tea.gguf'] })).error).toMatchObject(error);
  expect((await told(home, verify)).error).toMatchObject(error);
  expect((await told(home, restore, { id: 'b0001' })).error).toMatchObject(error);
  expect((await told(home, remove, { ids: ['b0001'] })).error).toMatchObject(error);
  expect((await told(home, undo)).error).toMatchObject(error);
  const listed = await told(home, list);
  expect(listed.error).toMatchObject(error);
  expect(listed.notes.join()).not.toContain('No backups');
});

test('of a vault with one broken record the others are listed, and that one is named', async () => {
  await using home = await withModel();
  await told(home, create);
  await told(home, create);
  const vault = vaultOf(home.context);
  const { snapshots } = await vault.contents();
  await rm(vault.blobPath(snapshots[0]!.digest));
  const { listed, notes, error } = await told(home, list);
  expect(listed).toMatchObject([{ id: 'b0001' }]);
  expect(notes.join()).toContain('b0002');
  expect(error).toMatchObject({ code: 'verification', message: expect.stringContaining('b0002') });
  for (const [command, argv] of [
    [verify, { ids: ['b0002'] }],
    [restore, { id: 'b0002' }],
  ] as const) {
    expect((await told(home, command, argv)).error).toMatchObject({
      code: 'verification',
      message: expect.stringContaining('b0002'),
    });
  }
});

test('a folder that is written to while it is saved is not called damaged', async () => {
  await using home = await testHome();
  const folder = join(home.root, 'busy');
  await mkdir(folder);
  await writeFile(join(folder, 'log'), 'x');
  // Asked for once the vault is held, when the folder has been looked at.
  const engine = async () => {
    appendFileSync(join(folder, 'log'), 'more');
    throw new AixclError('engineUnreachable', 'there is no engine here');
  };
  const busy = (context: Context, argv: Arguments) => create({ ...context, engine }, argv);
  const { error } = await told(home, busy, { names: [folder] });
  expect(error).toMatchObject({
    code: 'refused',
    message: expect.stringContaining('changed while it was saved'),
    hint: expect.stringContaining('run the command again'),
  });
});

test('folders are named by their paths from here', async () => {
  await using home = await testHome();
  const folder = join(home.root, 'r1');
  await mkdir(folder);
  await writeFile(join(folder, 'file'), 'x');
  await told(home, create, { names: [folder] });
  const here = relative(process.cwd(), folder);
  expect((await told(home, list, { model: here })).listed).toMatchObject([{ id: 'b0001' }]);
  const { notes, listed } = await told(home, list, { model: 'nothing-of-this-name' });
  expect(listed).toEqual([]);
  expect(notes.join()).toContain('There is no backup of "nothing-of-this-name"');
  expect((await told(home, remove, { ids: ['b0001'], confirm: 'r1' })).error).toMatchObject({
    code: 'refused',
  });
  expect((await told(home, remove, { ids: ['b0001'], confirm: here })).error).toBeUndefined();
});

test('what can not be saved, or restored to, is told by what it is', async () => {
  await using home = await testHome();
  const [empty, file, full] = ['empty', 'file', 'full'].map((name) => join(home.root, name)) as [
    string,
    string,
    string,
  ];
  await mkdir(empty);
  await writeFile(file, 'x');
  await mkdir(full);
  await writeFile(join(full, 'file'), 'x');
  expect((await told(home, create, { names: [empty] })).error).toMatchObject({
    code: 'notFound',
    message: expect.stringContaining('is empty'),
  });
  expect((await told(home, create, { names: [file] })).error).toMatchObject({
    code: 'refused',
    message: expect.stringContaining('is a file'),
  });
  await told(home, create, { names: [full] });
  expect((await told(home, restore, { id: 'b0001', to: file })).error).toMatchObject({
    code: 'refused',
    message: expect.stringContaining('is a file'),
  });
  expect(await readFile(file, 'utf8')).toBe('x');
});

test('what does not fit on the disk is not begun', async () => {
  await using home = await withModel();
  await told(home, create);
  await writeSelfTestModel(join(home.root, 'other.gguf'), 'Something else.');
  await rename(join(home.root, 'other.gguf'), join(home.context.home.models, 'tea.gguf'));
  full.free = 1000;
  const { error } = await told(home, restore, { id: 'b0001' });
  full.free = undefined;
  expect(error).toMatchObject({ code: 'noSpace', message: expect.stringContaining('1 kB free') });
  expect((await vaultOf(home.context).contents()).snapshots.map(({ id }) => id)).toEqual(['b0001']);
});

test('a backup that goes in the same command is not counted as left', async () => {
  await using home = await withModel();
  for (let times = 0; times < 3; times += 1) await told(home, create);
  const two = await told(home, remove, { ids: ['b0001', 'b0002'], confirm: 'tea.gguf' });
  expect(two.result?.steps.map(({ because }) => because)).toEqual([
    expect.stringContaining('one good backup of it is left'),
    expect.stringContaining('one good backup of it is left'),
  ]);
  const last = await told(home, remove, { ids: ['b0003'], confirm: 'tea.gguf' });
  expect(last.result?.steps[0]?.because).toContain('no good backup of it is left');
});

test("a version's id is no backup's, and what is done to versions is named", async () => {
  await using home = await testHome();
  for (const command of [verify, restore, remove]) {
    const { error } = await told(home, command, { id: 'tea@v001', ids: ['tea@v001'] });
    expect(error).toMatchObject({
      code: 'notFound',
      hint: expect.stringContaining('aixcl versions --help'),
    });
  }
});

test.each(['to', 'as'])('--%s of an unset variable is a mistake, not the folder that one is in', (option) => {
  const snapshot = { id: 'b0001', subject: { runtime: 'llama-server', name: 'tea.gguf' } } as Snapshot;
  const argv = { [option]: '' } as unknown as Arguments;
  expect(() => targetOf('backups restore', snapshot, argv)).toThrow(
    expect.objectContaining({ code: 'usage', message: `--${option} is empty` }),
  );
});
