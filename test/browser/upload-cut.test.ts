import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { sha256Of } from '../faults/lab/oracle.ts';
import { type CuttingProxy, cuttingProxy } from '../setup/cutting-proxy.ts';
import { docker, engineTest } from '../setup/engine-test.ts';
import { writeModelOfSize } from '../setup/noisy-model.ts';
import { choose, modelRow, upload, uploadItem } from './driver.ts';
import { describePage } from './page-stack.ts';
import { watchName } from './watch-name.ts';

const size = 2 ** 30;
/** What may be sent in vain for each cut. The page sends half of it at once, so that a restart and a reload are in it, too. */
const chunk = 8 * 2 ** 20;
/** Bytes of requests that are no body: the page, its heads, events. */
const overhead = 2 ** 20;

describePage('an upload of 1 GiB', (the) => {
  engineTest(
    'arrives bit for bit over two cut connections, a restart of the service and a reload, and stands under its name only when whole',
    async () => {
      const file = join(tmpdir(), `aixcl-upload-${process.pid}.gguf`);
      const name = file.slice(tmpdir().length + 1);
      await using proxy = await cuttingProxy(the.home.ports.page, { cutAt: [size / 3, (2 * size) / 3] });
      await using watch = watchName(join(the.home.models, name));
      try {
        await writeModelOfSize(file, { sentence: 'I came in pieces.', seed: 'cut', size });
        await using window = await the.open({ port: proxy.port });
        const { page } = window;
        await upload(page, [file]);

        await sent(proxy, 0.45 * size);
        expect(proxy.cuts, 'cut at a third').toBe(1);
        expect((await docker(['restart', 'upload-ui'])).code).toBe(0);

        await sent(proxy, 0.8 * size);
        expect(proxy.cuts, 'cut at two thirds').toBe(2);
        await page.reload();
        await uploadItem(page, name).getByText('Choose the same file again').waitFor();
        await choose(page, [file]);

        await modelRow(page, name).waitFor({ timeout: 60_000 });
        expect(proxy.towardsServer).toBeLessThanOrEqual(size + 2 * chunk + overhead);
        expect(proxy.towardsServer).toBeGreaterThan(size);
        expect(await sha256Of(join(the.home.models, name))).toBe(await sha256Of(file));
        expect(await watch.seen()).toEqual(['none', size]);
      } finally {
        await rm(file, { force: true });
      }
    },
    180_000,
  );
});

async function sent(proxy: CuttingProxy, bytes: number): Promise<void> {
  for (const deadline = Date.now() + 60_000; proxy.towardsServer < bytes; await delay(5)) {
    if (Date.now() > deadline)
      throw new Error(`${proxy.towardsServer} of ${bytes} bytes were sent in a minute`);
  }
}
