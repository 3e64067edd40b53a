import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { tmpfs } from '../faults/lab/disks.ts';
import { sha256Of } from '../faults/lab/oracle.ts';
import { cuttingProxy } from '../setup/cutting-proxy.ts';
import { engineTest } from '../setup/engine-test.ts';
import { writeModelOfSize } from '../setup/noisy-model.ts';
import { alarm, answer, choose, modelRow, said, upload, uploadItem } from './driver.ts';
import { describePage } from './page-stack.ts';

const mebibyte = 2 ** 20;

describePage(
  'a full disk',
  (the) => {
    const free = async () => {
      const { bavail, bsize } = await statfs(the.home.models);
      return bavail * bsize;
    };
    const file = async (name: string, size: number) => {
      const folder = join(the.home.root, 'downloads');
      await mkdir(folder, { recursive: true });
      await writeModelOfSize(join(folder, name), { sentence: 'I need room.', seed: name, size });
      return join(folder, name);
    };

    engineTest('is told before a byte is sent', async () => {
      const path = await file('huge.gguf', 128 * mebibyte);
      await using window = await the.open();
      const { page } = window;
      await choose(page, [path]);
      await page.getByRole('dialog').getByText('Not enough space').waitFor();
      expect(await answer(page, 'Upload').isDisabled()).toBe(true);
    });

    engineTest('that fills under an upload stops it; it goes on when there is room', async () => {
      const path = await file('large.gguf', 48 * mebibyte);
      const filler = join(the.home.models, '..', 'filler');
      await using proxy = await cuttingProxy(the.home.ports.page, { rate: 12e6 });
      await using window = await the.open({ port: proxy.port });
      const { page } = window;
      await upload(page, [path]);
      await uploadItem(page, 'large.gguf').getByText('/s').waitFor();
      await fill(filler);
      await alarm(page, 'Not enough space').waitFor();
      await rm(filler);
      await page.getByRole('button', { name: /^Try again.* large\.gguf/ }).click();
      await modelRow(page, 'large.gguf').waitFor();
      expect(await sha256Of(join(the.home.models, 'large.gguf'))).toBe(await sha256Of(path));
      expect(proxy.towardsServer).toBeLessThan(48 * mebibyte * 1.5);
    });

    engineTest('is free again once the upload is cleared', async () => {
      const before = await free();
      const path = await file('cleared.gguf', 32 * mebibyte);
      const filler = join(the.home.models, '..', 'filler');
      await using proxy = await cuttingProxy(the.home.ports.page, { rate: 8e6 });
      await using window = await the.open({ port: proxy.port });
      const { page } = window;
      await upload(page, [path]);
      await uploadItem(page, 'cleared.gguf').getByText('/s').waitFor();
      await fill(filler);
      await alarm(page, 'Not enough space').waitFor();
      await page.getByRole('button', { name: 'Cancel cleared.gguf' }).click();
      await answer(page, 'Cancel the upload').click();
      await said(page, 'cleared.gguf is cleared').waitFor();
      await rm(filler);
      expect(before - (await free())).toBeLessThan(mebibyte);
    });
  },
  { disk: () => tmpfs(100 * mebibyte) },
);

/** Takes all that is left. */
async function fill(path: string): Promise<void> {
  const error = await writeFile(path, Buffer.alloc(100 * mebibyte)).catch((error: unknown) => error);
  expect(error).toMatchObject({ code: 'ENOSPC' });
}
