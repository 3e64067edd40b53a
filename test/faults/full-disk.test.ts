import { readFile, rm, statfs, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import {
  contentOf,
  faultHome,
  faultTest,
  isSaved,
  loopDisk,
  type Point,
  savedIn,
  some,
  sweepAll,
  tmpfs,
  writeModel,
} from './lab/fault-test.ts';
import { scenarios } from './lab/scenarios.ts';
import { sweep } from './lab/sweep.ts';

const page = 4096;
const upTo = (count: number, step: number) => Array.from({ length: count }, (_, index) => index * step);

faultTest(
  '8: a vault that is full at any size: exit 8 before anything is deleted, and the earlier backups are whole',
  async () => {
    using disk = tmpfs(8 << 20);
    await using home = await faultHome({ vault: join(disk.path, 'vault') });
    await writeModel(join(home.models, 'early.gguf'), 'early');
    const early = (await contentOf(join(home.models, 'early.gguf')))!;
    await home.must(['backups', 'create', 'early.gguf']);
    const { blocks, bfree, bsize } = await statfs(disk.path);
    const used = (blocks - bfree) * bsize;
    const target = join(home.models, 'tea.gguf');
    await writeModel(target, 'tea', 256 * 1024);
    const tea = (await contentOf(target))!;
    let done = 0;
    for (const free of some(upTo(160, page), 14)) {
      disk.remount(`size=${used + free}`);
      const { code, stderr } = await home.run(['models', 'remove', 'tea.gguf', '--yes']);
      const saved = await savedIn(home.vault);
      for (const { id, wrong } of saved) expect({ free, id, wrong }).toEqual({ free, id, wrong: [] });
      expect(isSaved(saved, early)).toBe(true);
      if (code === 0) {
        expect(isSaved(saved, tea)).toBe(true);
        done += 1;
        break;
      }
      expect({ free, code, stderr }).toMatchObject({
        free,
        code: 8,
        stderr: expect.stringContaining(home.vault),
      });
      expect(await contentOf(target)).toEqual(tea);
    }
    expect(done).toBe(1);
    disk.remount('size=8m');
    await home.must(['vault', 'verify']);
  },
);

faultTest(
  '8: a write that finds no room, wherever: exit 8, and the old state or the new',
  async () => {
    const growing = /^(pwrite64|pwritev|copy_file_range|mkdir|link|ftruncate)$/;
    for (const name of [
      ...['models remove', 'backups create', 'backups restore, over another model'],
      ...['versions create', 'versions restore, over another adapter', 'versions delete'],
    ]) {
      await using home = await faultHome();
      await sweep(await scenarios[name]!(home), {
        count: 2,
        at: ({ call }: Point) => growing.test(call),
        inject: ({ call, nth }) => ({ calls: [call], effect: 'error=ENOSPC', when: `${nth}+` }),
        // Of several models, some may still have been saved.
        codes: [5, 8],
      });
    }
  },
  1_800_000,
);

faultTest('8: on a full disk backups verify and come back, and one that is deleted gives room', async () => {
  using disk = tmpfs(4 << 20);
  await using home = await faultHome({ vault: join(disk.path, 'vault') });
  const target = join(home.models, 'tea.gguf');
  await writeModel(target, 'tea', 1 << 20);
  const tea = (await contentOf(target))!;
  await home.must(['backups', 'create']);
  await writeFile(join(disk.path, 'fill'), Buffer.alloc(8 << 20)).catch(() => {});
  expect((await home.run(['models', 'remove', 'tea.gguf', '--yes'])).code).toBe(8);
  expect(await contentOf(target)).toEqual(tea);
  await home.must(['backups', 'verify']);
  await home.must(['vault', 'verify']);
  await home.must(['backups', 'restore', 'b0001', '--to', join(home.scratch, 'back')]);
  expect(isSaved(await savedIn(home.vault), tea)).toBe(true);
  await home.must(['backups', 'delete', 'b0001', '--confirm', 'tea.gguf']);
});

faultTest('9: out of inodes: exit 8, and the earlier backups are whole', async () => {
  using disk = loopDisk(32 << 20, { inodes: 128 });
  await using home = await faultHome({ vault: join(disk.path, 'vault') });
  await writeModel(join(home.models, 'early.gguf'), 'early');
  const early = (await contentOf(join(home.models, 'early.gguf')))!;
  await home.must(['backups', 'create', 'early.gguf']);
  const target = join(home.models, 'tea.gguf');
  await writeModel(target, 'tea');
  const tea = (await contentOf(target))!;
  const filler: string[] = [];
  for (let full = false; !full; ) {
    const path = join(disk.path, `filler-${filler.length}`);
    full = await writeFile(path, '').then(
      () => false,
      () => true,
    );
    if (!full) filler.push(path);
  }
  let done = false;
  while (!done) {
    const { code, stderr } = await home.run(['models', 'remove', 'tea.gguf', '--yes']);
    const saved = await savedIn(home.vault);
    expect(isSaved(saved, early)).toBe(true);
    done = code === 0;
    if (done) expect(isSaved(saved, tea)).toBe(true);
    else {
      expect({ left: filler.length, code, stderr }).toMatchObject({ code: 8 });
      expect(await contentOf(target)).toEqual(tea);
      expect(filler.length).toBeGreaterThan(0);
      for (const path of filler.splice(0, sweepAll ? 4 : 8)) await rm(path);
    }
  }
  expect(await contentOf(target)).toBeUndefined();
});

faultTest(
  '10: a full models disk: a backup works; bringing back is refused before anything is written',
  async () => {
    using disk = tmpfs(1 << 20);
    await using home = await faultHome({ models: join(disk.path, 'models') });
    await writeModel(join(home.scratch, 'tea.gguf'), 'tea', 400 * 1024);
    await home.must(['models', 'add', join(home.scratch, 'tea.gguf')]);
    const tea = (await contentOf(join(home.models, 'tea.gguf')))!;
    const { bfree, bsize } = await statfs(disk.path);
    await writeFile(join(disk.path, 'filler'), Buffer.alloc(bfree * bsize));
    await home.must(['backups', 'create']);
    expect(isSaved(await savedIn(home.vault), tea)).toBe(true);
    // Removing notes what it does beside the models, which takes a few kilobytes.
    await truncate(join(disk.path, 'filler'), bfree * bsize - 32 * 1024);
    await home.must(['models', 'remove', 'tea.gguf', '--yes']);
    const room = await statfs(disk.path);
    // Room for notes, and for a part of the model.
    await writeFile(join(disk.path, 'more'), Buffer.alloc(room.bfree * room.bsize - 192 * 1024));
    const before = await contentOf(disk.path);
    const log = join(home.scratch, 'calls');
    const { code } = await home.run(['undo', '--yes'], { log });
    expect(code).toBe(8);
    const written = (await readFile(log, 'utf8')).split('\n').filter((line) => isWriteBelow(disk.path, line));
    expect(written).toEqual([]);
    expect(await contentOf(disk.path)).toEqual(before);
    await rm(join(disk.path, 'filler'));
    await rm(join(disk.path, 'more'));
    await home.must(['undo', '--yes']);
    expect(await contentOf(join(home.models, 'tea.gguf'))).toEqual(tea);
  },
);

/** Of bytes: a folder may be made and be taken away again. */
function isWriteBelow(path: string, call: string): boolean {
  return (
    call.includes(`<${path}/`) && /\b(write|pwrite64|writev|pwritev|copy_file_range|sendfile)\(/.test(call)
  );
}
