import { mkdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { writeSelfTestModel } from '../../src/models/self-test-model.ts';
import { cuttingProxy } from '../setup/cutting-proxy.ts';
import { docker, engineTest, ollamaImage, seedStore } from '../setup/engine-test.ts';
import { writeModelOfSize } from '../setup/noisy-model.ts';
import { violations } from './axe.ts';
import { answer, choose, modelRow, said, snapshotRow, upload, uploadItem } from './driver.ts';
import { describePage } from './page-stack.ts';

const desktop = { width: 1280, height: 800 };
const phone = { width: 390, height: 844 };
/** The narrowest that WCAG asks for; a page at 400 % on a desktop is as wide. */
const narrow = { width: 320, height: 640 };

describePage(
  'accessibility',
  (the) => {
    async function file(name: string, write: (path: string) => Promise<unknown>): Promise<string> {
      const folder = join(the.home.root, 'downloads');
      await mkdir(folder, { recursive: true });
      await write(join(folder, name));
      return join(folder, name);
    }

    engineTest('of the page without a model, and of what stands in its place for strangers', async () => {
      await using window = await the.open();
      const { page } = window;
      await page.getByText('No model yet').waitFor();
      await expectFaultless(page);
      await window.page.context().clearCookies();
      await page.reload();
      await page.getByText('aixcl ui').first().waitFor();
      await expectFaultless(page);
    });

    engineTest('of an upload: its question, its faults, its course, its end', async () => {
      const small = await file('small.gguf', (path) => writeSelfTestModel(path, 'I am small.'));
      const large = await file('large.gguf', (path) =>
        writeModelOfSize(path, { sentence: 'I am large.', seed: 'large', size: 64 * 2 ** 20 }),
      );
      const cut = await file('cut.gguf', async (path) => {
        await writeSelfTestModel(path);
        await truncate(path, 200_000);
      });
      await using proxy = await cuttingProxy(the.home.ports.page, { rate: 4e6 });
      await using window = await the.open({ port: proxy.port });
      const { page } = window;
      await upload(page, [small, cut]);
      await modelRow(page, 'small.gguf').waitFor();
      await uploadItem(page, 'cut.gguf').getByText('Refused').waitFor();
      await expectFaultless(page);

      await choose(page, [small, large]);
      await page.getByRole('dialog').getByText('Check against a sha256').last().click();
      await page.getByLabel('sha256 of large.gguf').fill('no digest');
      await answer(page, 'Upload').click();
      await page.getByRole('dialog').getByText('Choose one').waitFor();
      await expectFaultless(page);
      await page.getByLabel('Do not upload it.').check();
      await page.getByLabel('sha256 of large.gguf').fill('');
      await answer(page, 'Upload').click();

      await uploadItem(page, 'large.gguf').getByText('/s').waitFor();
      await expectFaultless(page);
      await page.getByRole('button', { name: 'Pause large.gguf' }).click();
      await page.getByRole('button', { name: 'Cancel large.gguf' }).click();
      await expectFaultless(page);
      await answer(page, 'Cancel the upload').click();
      await said(page, 'large.gguf is cleared').waitFor();
    });

    engineTest('of models, backups, and the questions about them', async () => {
      await seedStore(the.home.ollama, 'tea:1b');
      for (const name of ['active.gguf', 'going.gguf'])
        await writeSelfTestModel(join(the.home.models, name), `I am ${name}.`);
      await using window = await the.open();
      const { page } = window;
      await modelRow(page, 'tea:1b').waitFor();
      await modelRow(page, 'going.gguf').getByRole('button', { name: 'Details of going.gguf' }).click();
      await modelRow(page, 'tea:1b').getByRole('button', { name: 'Details of tea:1b' }).click();
      await expectFaultless(page);

      await modelRow(page, 'going.gguf').getByRole('button', { name: 'Delete going.gguf' }).click();
      await page.getByRole('dialog').getByText('The backup is held').waitFor();
      await expectFaultless(page);
      await answer(page, 'Delete').click();
      const notice = said(page, 'going.gguf is deleted, and kept as backup');
      await notice.waitFor();
      const [, id = ''] = /kept as backup (\S+)\./.exec((await notice.textContent()) ?? '') ?? [];
      await snapshotRow(page, id)
        .getByRole('button', { name: `Restore ${id}` })
        .click();
      await page.getByRole('dialog').getByRole('list').waitFor();
      await expectFaultless(page);
      await answer(page, 'Cancel').click();
      await modelRow(page, 'active.gguf').getByRole('button', { name: 'Activate active.gguf' }).click();
      await modelRow(page, 'active.gguf').getByText('active', { exact: true }).waitFor();
      await expectFaultless(page);
    });

    engineTest('of a page whose service is gone', async () => {
      await using window = await the.open();
      const { page } = window;
      await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
      await docker(['stop', '-t', '5', 'upload-ui']);
      await page.getByRole('status').filter({ hasText: 'Connection lost' }).waitFor();
      await expectFaultless(page);
      await docker(['start', 'upload-ui']);
      await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
    });

    engineTest(
      'both services are seen healthy, nothing is asked elsewhere, and it weighs under 100 kB',
      async () => {
        const seen: string[] = [];
        await using window = await the.open();
        const { page } = window;
        const machine = page.getByRole('region', { name: 'This machine' });
        await expect.poll(() => machine.textContent(), { timeout: 15_000 }).toMatch(/llama-server\s*healthy/);
        await expect.poll(() => machine.textContent(), { timeout: 15_000 }).toMatch(/Ollama\s*healthy/);
        const online = await page.getByRole('main').ariaSnapshot();

        let weight = 0;
        page.on('response', async (response) => {
          const { pathname } = new URL(response.url());
          if (pathname.startsWith('/api/')) return;
          seen.push(pathname);
          const { responseBodySize } = await response.request().sizes();
          weight += responseBodySize;
        });
        // As on a machine whose network ends at its own door.
        const { host } = new URL(page.url());
        await page.context().route(
          ({ host: asked }) => asked !== host,
          (route) => route.abort('internetdisconnected'),
        );
        await page.reload({ waitUntil: 'load' });
        await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
        await expect.poll(() => page.getByRole('main').ariaSnapshot(), { timeout: 10_000 }).toBe(online);
        expect(seen).toContain('/');
        expect(seen.length).toBeGreaterThan(2);
        expect(weight).toBeGreaterThan(10_000);
        expect(weight).toBeLessThan(100_000);
      },
    );
  },
  { models: {}, ollama: () => ollamaImage() },
);

/** No finding in light and dark, on a desk and on a phone; and nothing to scroll sideways for. */
async function expectFaultless(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const viewport of [desktop, phone]) {
      await page.setViewportSize(viewport);
      expect(await violations(page), `${colorScheme}, ${viewport.width} px`).toEqual([]);
    }
  }
  for (const viewport of [phone, narrow]) {
    await page.setViewportSize(viewport);
    const wider = await page.evaluate<number>(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    expect(wider, `scrolls sideways at ${viewport.width} px`).toBeLessThanOrEqual(0);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(desktop);
}
