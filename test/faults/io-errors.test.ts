import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import {
  bind,
  contentOf,
  faultHome,
  faultTest,
  isSaved,
  type Point,
  savedIn,
  sweepAll,
  tmpfs,
  writeModel,
} from './lab/fault-test.ts';
import { scenarios } from './lab/scenarios.ts';
import { sweep } from './lab/sweep.ts';

/** `write` fails also where Node's threads wake each other, which nothing survives; files of ours are written by position. */
const onDisk = ({ call }: Point) => call !== 'write';
const syncs = ({ call }: Point) => call === 'fsync' || call === 'fdatasync';
/** What may fail without a word: taking away what is not needed any more. */
const failed = [1, 3, 5, 7, 8];

describe.each(Object.entries(scenarios))('%s', (_, make) => {
  faultTest(
    '3: an I/O error at any step, once or lasting, leaves the old state or the new',
    async () => {
      await using home = await faultHome();
      const scenario = await make(home);
      for (const lasting of [false, true]) {
        await sweep(scenario, {
          count: 1,
          at: (point) => onDisk(point) && (!lasting || sweepAll || /^(pwrite64|rename)$/.test(point.call)),
          inject: ({ call, nth }) => ({
            calls: [call],
            effect: 'error=EIO',
            when: lasting ? `${nth}+` : nth,
          }),
          codes: failed,
          harmless: true,
        });
      }
    },
    1_800_000,
  );

  faultTest(
    '4: a sync that fails ends the command, and nothing that it was for is published',
    async () => {
      await using home = await faultHome();
      await sweep(await make(home), {
        count: 3,
        at: syncs,
        inject: ({ call, nth }) => ({ calls: [call], effect: 'error=EIO', when: nth }),
        codes: failed,
      });
    },
    1_800_000,
  );
});

faultTest('4: a sync that failed is not tried again', async () => {
  await using home = await faultHome();
  await writeModel(join(home.models, 'tea.gguf'), 'tea');
  const log = join(home.scratch, 'calls');
  for (let nth = 1; ; nth += 1) {
    const failing = { calls: ['fsync', 'fdatasync'], effect: 'error=EIO', when: nth } as const;
    const { code } = await home.run(['backups', 'create'], { inject: [failing], log });
    const lines = (await readFile(log, 'utf8')).split('\n');
    const at = lines.findIndex((line) => line.includes('INJECTED'));
    if (at < 0) {
      expect(nth).toBeGreaterThan(3);
      break;
    }
    const [, file = ''] = /<([^>]*)>/.exec(lines[at]!) ?? [];
    // The journal goes on to say how it ended; that is another line, not the same again.
    const again = lines
      .slice(at + 1)
      .filter((line) => /f(data)?sync\(/.test(line) && line.includes(`<${file}>`))
      .filter(() => !file.endsWith('.jsonl'));
    // A blob was synced before it got its name.
    const fails = code !== 0 || file.includes('/blobs/sha256/');
    expect({ file, again, fails }).toEqual({ file, again: [], fails: true });
  }
});

faultTest('11: where renaming would have to copy, it stops, and nothing is copied in place', async () => {
  await using home = await faultHome();
  const sha256 = await writeModel(join(home.models, 'tea.gguf'), 'tea');
  const exdev = { effect: 'error=EXDEV', when: '1+' } as const;
  const { code, stderr } = await home.run(['backups', 'create'], {
    inject: [{ ...exdev, calls: ['rename'] }],
  });
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/error: .+/);
  expect(await savedIn(home.vault)).toEqual([]);
  // A link that can't be made is no error: the bytes are copied.
  await home.must(['models', 'remove', 'tea.gguf', '--yes'], {
    inject: [{ ...exdev, calls: ['link'], when: 1 }],
  });
  expect(isSaved(await savedIn(home.vault), { 'tea.gguf': sha256 })).toBe(true);
});

faultTest('11: an ingest on another disk is told as such', async () => {
  await using home = await faultHome();
  await writeModel(join(home.models, 'tea.gguf'), 'tea');
  await mkdir(join(home.vault, 'ingest'), { recursive: true });
  using disk = tmpfs(16 << 20);
  using _ = bind(disk.path, join(home.vault, 'ingest'));
  const { code, stderr } = await home.run(['models', 'remove', 'tea.gguf', '--yes']);
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/ingest|disk|mount/);
  expect(await savedIn(home.vault)).toEqual([]);
  expect(await contentOf(join(home.models, 'tea.gguf'))).toBeDefined();
});
