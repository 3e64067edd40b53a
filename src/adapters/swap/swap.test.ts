import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { VerifiedBackup } from '../../vault/verified-backup.ts';
import { carryOut, type GoneFile, NameTaken, notedSwaps, type Swap, type SwapWork, settle } from './swap.ts';

/** Fails the first sync of a folder for which it answers true. */
const disk = vi.hoisted((): { fails: (() => boolean) | undefined } => ({ fails: undefined }));
vi.mock('../durable.ts', async (original) => {
  const real = await original<typeof import('../durable.ts')>();
  const syncDirectory = async (path: string) => {
    if (disk.fails?.()) {
      disk.fails = undefined;
      throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' });
    }
    await real.syncDirectory(path);
  };
  return { ...real, syncDirectory };
});

let root: string;
let notes: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'aixcl-swap-'));
  notes = join(root, 'notes');
});
afterEach(() => rm(root, { recursive: true }));

const at = (...path: string[]) => join(root, ...path);
const subject = { runtime: 'llama-server', name: 'tea' } as const;
const proof = { assertCovers: async () => {} } as unknown as VerifiedBackup;

/** The folder `tea` makes room for `new`. */
function swapOf(more: Partial<Swap> = {}): Swap {
  return {
    operation: 'test',
    saved: { subject, snapshot: 'b0001' },
    moves: [
      { from: at('tea'), to: at('aside'), aside: true },
      { from: at('new'), to: at('tea') },
    ],
    gone: [{ path: at('aside', 'model'), file: 'model' }],
    staged: [at('new')],
    clear: [at('aside')],
    after: null,
    ...more,
  };
}

async function standing(): Promise<void> {
  await mkdir(at('tea'));
  await writeFile(at('tea', 'model'), 'old');
}

function work(more: Partial<SwapWork> = {}): SwapWork {
  return {
    notes,
    owner: undefined,
    async stage() {
      await mkdir(at('new'));
      await writeFile(at('new', 'model'), 'new');
      return { written: 'beside' };
    },
    async finish({ after }) {
      await writeFile(at('after'), JSON.stringify(after));
    },
    ...more,
  };
}

const killed = new Error('killed');

/** Carries it out until `when` is reached, as if the process ended there: nothing after it is done, not even taking back. */
async function killedAt(when: 'staged' | 'moved aside' | 'moved in' | 'finished'): Promise<void> {
  await standing();
  const { stage } = work();
  const phase = when === 'finished' ? 'clearing' : 'moving';
  const after = await stage!();
  if (when !== 'staged') await rename(at('tea'), at('aside'));
  if (when === 'moved in' || when === 'finished') await rename(at('new'), at('tea'));
  await mkdir(notes);
  await writeFile(join(notes, 'test-1.json'), JSON.stringify({ ...swapOf(), after, phase }));
}

async function settled(prove: (files: readonly GoneFile[]) => Promise<void> = async () => {}) {
  const [noted, ...others] = await notedSwaps(notes);
  expect(others).toEqual([]);
  return await settle(noted!, { finish: work().finish, decided: async () => {}, prove });
}

test('what stood there goes, what was staged takes its place, and nothing else is left', async () => {
  await standing();
  await carryOut(swapOf(), proof, work());
  expect(await readFile(at('tea', 'model'), 'utf8')).toBe('new');
  expect(await readFile(at('after'), 'utf8')).toBe('{"written":"beside"}');
  expect((await readdir(root)).sort()).toEqual(['after', 'notes', 'tea']);
  expect(await readdir(notes)).toEqual([]);
});

test('without a proof nothing moves', async () => {
  await standing();
  const refusing = {
    assertCovers: async () => {
      throw killed;
    },
  } as unknown as VerifiedBackup;
  await expect(carryOut(swapOf(), refusing, work())).rejects.toBe(killed);
  await expect(carryOut(swapOf(), 'nothing', work())).rejects.toThrow('proof');
  expect(await readFile(at('tea', 'model'), 'utf8')).toBe('old');
  expect((await readdir(root)).sort()).toEqual(['notes', 'tea']);
});

test('a name that is taken is left alone, and all is as it was', async () => {
  await standing();
  const taken = swapOf({ saved: null, moves: [{ from: at('new'), to: at('tea') }], gone: [], clear: [] });
  await expect(carryOut(taken, 'nothing', work())).rejects.toBeInstanceOf(NameTaken);
  expect(await readFile(at('tea', 'model'), 'utf8')).toBe('old');
  expect(existsSync(at('new'))).toBe(false);
});

test('when the check after the moves fails, they are taken back', async () => {
  await standing();
  const check = async () => {
    throw killed;
  };
  await expect(carryOut(swapOf(), proof, work({ check }))).rejects.toBe(killed);
  expect(await readFile(at('tea', 'model'), 'utf8')).toBe('old');
  expect((await readdir(root)).sort()).toEqual(['notes', 'tea']);
});

test.each([
  ['the old name is gone', () => existsSync(at('aside')) && !existsSync(at('tea'))],
  ['the new one is there', () => existsSync(at('aside')) && existsSync(at('tea'))],
])('when %s and the disk then fails, what stood there has its name again', async (_, when) => {
  await standing();
  disk.fails = when;
  await expect(carryOut(swapOf(), proof, work())).rejects.toMatchObject({ code: 'EIO' });
  expect(disk.fails).toBeUndefined();
  expect(await readFile(at('tea', 'model'), 'utf8')).toBe('old');
  expect(await readdir(root)).toEqual(['notes', 'tea']);
  expect(await notedSwaps(notes)).toEqual([]);
});

test('killed before the first move, it is taken back', async () => {
  await killedAt('staged');
  expect(await settled()).toBe('taken back');
  expect(await readFile(at('tea', 'model'), 'utf8')).toBe('old');
  expect((await readdir(root)).sort()).toEqual(['notes', 'tea']);
});

test.each(['moved aside', 'moved in', 'finished'] as const)(
  'killed when it had %s, it goes on to its end',
  async (when) => {
    await killedAt(when);
    const proven: string[] = [];
    expect(
      await settled(async (files) => {
        proven.push(...files.map(({ file }) => file));
      }),
    ).toBe('finished');
    expect(proven).toEqual(['model']);
    expect(await readFile(at('tea', 'model'), 'utf8')).toBe('new');
    expect((await readdir(root)).sort()).toEqual(['after', 'notes', 'tea']);
  },
);

test('what went aside is not removed while it is not proven', async () => {
  await killedAt('moved in');
  await expect(
    settled(async () => {
      throw killed;
    }),
  ).rejects.toBe(killed);
  expect(await readFile(at('aside', 'model'), 'utf8')).toBe('old');
  expect((await notedSwaps(notes)).length).toBe(1);
});

test('a file that is written over in one step is there all the time', async () => {
  await writeFile(at('tea'), 'old');
  const moves = [{ from: at('new'), to: at('tea'), over: true }];
  const stage = async () => {
    await writeFile(at('new'), 'new');
    return null;
  };
  await carryOut(swapOf({ moves, gone: [], clear: [] }), proof, work({ stage }));
  expect(await readFile(at('tea'), 'utf8')).toBe('new');
});

test('a note that can not be read stops whoever comes next, and names itself', async () => {
  await mkdir(notes);
  await writeFile(join(notes, 'x.json'), '{');
  await expect(notedSwaps(notes)).rejects.toMatchObject({
    code: 'unexpected',
    hint: expect.stringContaining('x.json'),
  });
});

test('a note that went since it was listed is of a change that has come to its end', async () => {
  await killedAt('staged');
  // Listed, and not there to be read.
  await symlink('gone', join(notes, 'test-0.json'));
  expect((await notedSwaps(notes)).map(({ note }) => note)).toEqual([join(notes, 'test-1.json')]);
});
