import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import { readRecord } from '../../src/adapters/models-directory/records.ts';
import { writeSplitModel } from '../../src/models/test-models.ts';
import type { LoopDisk } from './lab/disks.ts';
import {
  type FaultHome,
  faultHome,
  faultTest,
  isSaved,
  loopDisk,
  type Point,
  pointsOf,
  savedIn,
  sha256Of,
  sweepAll,
  tmpfs,
  tool,
  writeModel,
} from './lab/fault-test.ts';
import { type Page, startPage } from './lab/page.ts';
import { announce, clear, finish, offsetOf, type Sent, sendOn, settled } from './lab/sender.ts';

/** What is uploaded, and what may stand under its name before. */
interface Story {
  readonly files: readonly Sent[];
  /** The model's files, relative to the models directory, by what they have to hash to. */
  readonly wanted: Readonly<Record<string, string>>;
  /** As `wanted`, of what stands there before. */
  readonly before: Readonly<Record<string, string>>;
  prepare(): Promise<void>;
}

const stories: Readonly<Record<string, (home: FaultHome) => Promise<Story>>> = {
  'a new model': async (home) => story(home, { folder: false, standing: false }),
  'a folder in place of another': async (home) => story(home, { folder: true, standing: true }),
  ...(sweepAll && {
    'a model in place of another': async (home) => story(home, { folder: false, standing: true }),
    'a new folder': async (home) => story(home, { folder: true, standing: false }),
  }),
};

async function story(
  home: FaultHome,
  { folder, standing }: { readonly folder: boolean; readonly standing: boolean },
): Promise<Story> {
  const make = async (seed: string): Promise<Map<string, string>> => {
    const beside = join(home.scratch, seed);
    await mkdir(beside);
    const paths = folder ? await writeSplitModel(beside, 'tea', seed) : [join(beside, 'tea.gguf')];
    if (!folder) await writeModel(paths[0]!, seed);
    return new Map(paths.map((path) => [join(folder ? 'tea' : '', basename(path)), path]));
  };
  const hashes = async (made: Map<string, string>) =>
    Object.fromEntries(
      await Promise.all([...made].map(async ([place, path]) => [place, await sha256Of(path)])),
    );
  const [coming, there] = [await make('new'), standing ? await make('old') : new Map<string, string>()];
  const files = [...coming.values()].map(async (path): Promise<Sent> => {
    return { file: basename(path), bytes: await readFile(path), metadata: { replace: 'yes' } };
  });
  return {
    files: await Promise.all(files),
    wanted: await hashes(coming),
    before: await hashes(there),
    async prepare() {
      await rm(home.models, { recursive: true, force: true });
      await rm(home.vault, { recursive: true, force: true });
      await mkdir(home.models);
      for (const [place, path] of there) {
        await mkdir(join(home.models, place, '..'), { recursive: true });
        await writeFile(join(home.models, place), await readFile(path));
      }
    },
  };
}

/** sha256 of every file that has a name for others to see. */
async function visible(models: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(models, { recursive: true, withFileTypes: true })) {
    const place = join(entry.parentPath, entry.name).slice(models.length + 1);
    if (entry.isFile() && !place.startsWith('.')) found[place] = await sha256Of(join(models, place));
  }
  return found;
}

/** Under every name stands the old file or the new one, whole; what stood there is there or saved. */
async function assertNoPartial(home: FaultHome, { wanted, before }: Story): Promise<void> {
  const seen = await visible(home.models);
  for (const [place, hash] of Object.entries(seen)) expect([wanted[place], before[place]]).toContain(hash);
  const saved = await savedIn(home.vault);
  for (const { id, wrong } of saved) expect({ id, wrong }).toEqual({ id, wrong: [] });
  const stands = Object.entries(before).every(([place, hash]) => seen[place] === hash);
  if (stands) return;
  const kept = Object.fromEntries(Object.entries(before).map(([place, hash]) => [basename(place), hash]));
  expect(isSaved(saved, kept)).toBe(true);
}

/** Uploads through a page that may be killed meanwhile, or before; false: it was. */
async function upload(home: FaultHome, { files, wanted }: Story, options: Parameters<typeof startPage>[1]) {
  let page: Page | undefined;
  try {
    page = await startPage(home, options);
    const isThere = async () => {
      const seen = await visible(home.models);
      return Object.entries(wanted).every(([place, hash]) => seen[place] === hash);
    };
    expect(await finish(page, files, isThere)).toEqual([]);
    return true;
  } catch (error) {
    if (options === undefined) throw error;
    return false;
  } finally {
    await page?.stop();
  }
}

/** Of each kind of call that changes names or bytes, or makes them last, two; in a full sweep all calls. */
function chosen(points: readonly Point[]): readonly Point[] {
  if (sweepAll) return points;
  const kinds = [
    'pwritev',
    'pwrite64',
    'rename',
    'link',
    'unlink',
    'rmdir',
    'fsync',
    'fdatasync',
    'ftruncate',
  ];
  return kinds.flatMap((kind) => {
    const own = points.filter(({ call }) => call === kind);
    // The last ones are of the settling.
    return own.filter((_, index) => (own.length - 1 - index) % Math.ceil(own.length / 2) === 0);
  });
}

for (const [what, make] of Object.entries(stories)) {
  faultTest(
    `1, 33: a page killed at any step of uploading ${what}: no partial under a name, and it goes on where it was`,
    async () => {
      await using home = await faultHome();
      const told = await make(home);
      const log = join(home.scratch, 'calls');
      await told.prepare();
      expect(await upload(home, told, { log })).toBe(true);
      expect(await visible(home.models)).toEqual(told.wanted);
      let met = 0;
      for (const { call, nth } of chosen(await pointsOf(log))) {
        await told.prepare();
        const inject = [{ calls: [call], effect: 'signal=SIGKILL', when: nth } as const];
        if (!(await upload(home, told, { inject }))) met += 1;
        await assertNoPartial(home, told);
        await upload(home, told, undefined);
        expect({ call, nth, seen: await visible(home.models) }).toEqual({ call, nth, seen: told.wanted });
        await assertNoPartial(home, told);
        expect(await readdir(join(home.models, '.aixcl', 'uploads'))).toEqual([]);
        for (const [place, hash] of Object.entries(told.wanted)) {
          const record = await readRecord(home.models, place);
          expect({ call, nth, sha256: record?.sha256 }).toEqual({ call, nth, sha256: hash });
        }
      }
      expect(met).toBeGreaterThan(5);
    },
    3_600_000,
  );
}

const mb = 2 ** 20;

async function model(home: FaultHome, noise: number): Promise<Sent> {
  const path = join(home.scratch, 'tea.gguf');
  await writeModel(path, 'tea', noise);
  return { file: 'tea.gguf', bytes: await readFile(path) };
}

async function freeOn(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

faultTest('33: a disk that has no room for it: 507 before a byte', async () => {
  using disk = tmpfs(4 * mb);
  await using home = await faultHome({ models: join(disk.path, 'models') });
  const tea = await model(home, 6 * mb);
  await using page = await startPage(home);
  await expect(announce(page, tea)).rejects.toThrow(/507.*noSpace/);
  expect(await readdir(home.models)).toEqual([]);
});

faultTest(
  '33: a disk that fills up: 507, nothing is lost, it goes on when there is room, and clearing frees all',
  async () => {
    using disk = tmpfs(20 * mb);
    await using home = await faultHome({ models: join(disk.path, 'models') });
    const tea = await model(home, 6 * mb);
    await using page = await startPage(home);
    const empty = await freeOn(disk.path);
    const path = await announce(page, tea);
    expect(await sendOn(page, path, tea.bytes, { end: mb })).toBe(204);
    await writeFile(join(disk.path, 'filler'), Buffer.alloc((await freeOn(disk.path)) - 2 * mb));
    expect(await sendOn(page, path, tea.bytes, { chunk: mb })).toBe(507);
    const there = await offsetOf(page, path);
    expect(there).toBeGreaterThan(mb);
    expect(there).toBeLessThan(tea.bytes.length);
    // Whatever became of what did not fit: what is there is what was sent.
    const bytes = await readFile(join(home.models, '.aixcl', 'uploads', basename(path), 'bytes'));
    expect(bytes.subarray(0, there).equals(tea.bytes.subarray(0, there))).toBe(true);
    expect(existsSync(join(home.models, 'tea.gguf'))).toBe(false);
    await rm(join(disk.path, 'filler'));
    expect(await sendOn(page, path, tea.bytes)).toBe(204);
    expect(await settled(page)).toEqual([]);
    expect(await sha256Of(join(home.models, 'tea.gguf'))).toBe(
      await sha256Of(join(home.scratch, 'tea.gguf')),
    );

    const again = await announce(page, { ...tea, file: 'milk.gguf' });
    await writeFile(join(disk.path, 'filler'), Buffer.alloc((await freeOn(disk.path)) - mb));
    expect(await sendOn(page, again, tea.bytes)).toBe(507);
    expect(await clear(page, again)).toBe(204);
    await rm(join(disk.path, 'filler'));
    await rm(join(home.models, 'tea.gguf'));
    expect(empty - (await freeOn(disk.path))).toBeLessThan(64 * 1024);
  },
);

faultTest(
  '4: a sync that fails gives no name, is not tried again, and what it was about is sent anew',
  async () => {
    await using home = await faultHome();
    const tea = await model(home, mb);
    const inject = [{ calls: ['fdatasync'], effect: 'error=EIO', when: 1 } as const];
    await using page = await startPage(home, { inject });
    const path = await announce(page, tea);
    expect(await sendOn(page, path, tea.bytes)).toBe(204);
    expect(await settled(page)).toMatchObject([
      { phase: 'receiving', received: 0, problem: { detail: expect.stringContaining('fails') } },
    ]);
    const kept = join(home.models, '.aixcl', 'uploads', basename(path), 'bytes');
    expect((await stat(kept)).size).toBe(0);
    expect(existsSync(join(home.models, 'tea.gguf'))).toBe(false);
    expect(await sendOn(page, path, tea.bytes)).toBe(204);
    expect(await settled(page)).toEqual([]);
    expect(await sha256Of(join(home.models, 'tea.gguf'))).toBe(
      await sha256Of(join(home.scratch, 'tea.gguf')),
    );
  },
);

faultTest('3: a write that fails: 500, and what was written before is gone on from', async () => {
  await using home = await faultHome();
  const tea = await model(home, 4 * mb);
  const inject = ['pwritev', 'pwrite64'].map(
    (call) => ({ calls: [call], effect: 'error=EIO', when: call === 'pwritev' ? 3 : 40 }) as const,
  );
  await using page = await startPage(home, { inject });
  const path = await announce(page, tea);
  const statuses = new Set<number>();
  for (let tries = 0; tries < 20 && !statuses.has(204); tries++) {
    statuses.add(await sendOn(page, path, tea.bytes));
    const { uploads } = await page.state();
    const there = join(home.models, '.aixcl', 'uploads', basename(path), 'bytes');
    const bytes = uploads.length > 0 ? await readFile(there).catch(() => undefined) : undefined;
    const received = uploads[0]?.received ?? 0;
    if (bytes) expect(bytes.subarray(0, received).equals(tea.bytes.subarray(0, received))).toBe(true);
  }
  expect([...statuses].sort()).toEqual([204, 500]);
  expect(await settled(page)).toEqual([]);
  expect(await sha256Of(join(home.models, 'tea.gguf'))).toBe(await sha256Of(join(home.scratch, 'tea.gguf')));
});

faultTest('12: a models directory that can only be read: a problem that says so', async () => {
  using disk = tmpfs(20 * mb);
  await using home = await faultHome({ models: join(disk.path, 'models') });
  const tea = await model(home, 0);
  await using page = await startPage(home);
  const path = await announce(page, tea);
  disk.remount('ro');
  await expect(announce(page, tea)).rejects.toThrow('read-only file system');
  expect(await sendOn(page, path, tea.bytes)).toBe(409);
  disk.remount('rw');
  expect(await sendOn(page, path, tea.bytes)).toBe(204);
  expect(await settled(page)).toEqual([]);
});

/** What a file system may do, and ext4 does when it is told so: lengths of files are on the disk before their bytes are. */
function lengthsFirst(disk: LoopDisk): void {
  disk.unmount();
  tool('tune2fs', ['-o', 'journal_data_writeback,nodelalloc', disk.image]);
  disk.mount();
}

faultTest(
  '5: the power goes: bytes that were on the disk are gone on from, and what has its name is whole',
  async () => {
    using disk = loopDisk(64 * mb);
    lengthsFirst(disk);
    await using home = await faultHome({ root: join(disk.path, 'home') });
    const tea = await model(home, 6 * mb);
    let path = '';
    {
      await using page = await startPage(home);
      path = await announce(page, tea);
      expect(await sendOn(page, path, tea.bytes, { end: 2 * mb })).toBe(204);
    }
    {
      await using page = await startPage(home);
      expect(await offsetOf(page, path)).toBe(2 * mb);
      expect(await sendOn(page, path, tea.bytes, { end: 4 * mb })).toBe(204);
      // Another's sync brings the length to the disk, and not the bytes.
      await writeFile(join(disk.path, 'other'), 'x');
      tool('sync', [join(disk.path, 'other')]);
      await page.kill();
    }
    disk.powerCut();
    // The machine did not really start anew, so its boot has the same id.
    const state = join(home.models, '.aixcl', 'uploads', basename(path), 'state.json');
    const kept = JSON.parse(await readFile(state, 'utf8'));
    await writeFile(state, JSON.stringify({ ...kept, boot: 'the one before' }));
    {
      await using page = await startPage(home);
      expect(await offsetOf(page, path)).toBe(2 * mb);
      expect(await sendOn(page, path, tea.bytes)).toBe(204);
      expect(await settled(page)).toEqual([]);
      await page.kill();
    }
    disk.powerCut();
    expect(await visible(home.models)).toEqual({
      'tea.gguf': await sha256Of(join(home.scratch, 'tea.gguf')),
    });
  },
);
