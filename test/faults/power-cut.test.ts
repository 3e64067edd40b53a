import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import {
  contentOf,
  faultHome,
  faultTest,
  isSaved,
  loopDisk,
  savedIn,
  sweepAll,
  tool,
  writeModel,
} from './lab/fault-test.ts';
import { scenarios } from './lab/scenarios.ts';
import { sweep } from './lab/sweep.ts';

describe.each(Object.entries(scenarios))('%s', (_, make) => {
  faultTest(
    '5: the power goes at any step: old state or new, and the same command again ends in the new',
    async () => {
      using disk = loopDisk(96 << 20);
      await using home = await faultHome({ root: join(disk.path, 'home') });
      const scenario = await make({ ...home, scratch: await folder(join(disk.path, 'beside')) });
      await sweep(
        {
          ...scenario,
          async prepare() {
            await scenario.prepare();
            // What was there before is on the disk; all else is the command's.
            tool('sync', ['-f', disk.path]);
          },
        },
        {
          count: 1,
          at: ({ call }) => sweepAll || /^(fsync|rename|link|unlink|mkdir|rmdir)$/.test(call),
          inject: ({ call, nth }) => ({ calls: [call], effect: 'signal=SIGKILL', when: nth }),
          after: () => disk.powerCut(),
          codes: [137],
        },
      );
    },
    1_800_000,
  );
});

faultTest('5: the power goes right after a command said that it is done: it is done', async () => {
  using disk = loopDisk(96 << 20);
  await using home = await faultHome({ root: join(disk.path, 'home') });
  const file = join(home.models, 'tea.gguf');
  await writeModel(join(home.scratch, 'tea.gguf'), 'tea', 2 << 20);
  const tea = await contentOf(join(home.scratch, 'tea.gguf'));
  const cutAfter = async (...args: string[]) => {
    await home.must(args);
    disk.powerCut();
  };
  await cutAfter('models', 'add', join(home.scratch, 'tea.gguf'));
  expect(await contentOf(file)).toEqual(tea);
  await cutAfter('backups', 'create');
  expect(isSaved(await savedIn(home.vault), tea!)).toBe(true);
  await cutAfter('models', 'remove', 'tea.gguf', '--yes');
  expect(await contentOf(file)).toBeUndefined();
  await cutAfter('undo', '--yes');
  expect(await contentOf(file)).toEqual(tea);
  const archive = join(disk.path, 'tea.tar');
  await cutAfter('vault', 'export', archive, 'tea.gguf');
  await using other = await faultHome();
  await other.must(['vault', 'import', archive]);
  expect(isSaved(await savedIn(other.vault), tea!)).toBe(true);
  await cutAfter('vault', 'verify');
  await home.must(['vault', 'verify']);
});

async function folder(path: string): Promise<string> {
  await mkdir(path, { recursive: true });
  return path;
}
