import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { ok } from '../e2e/llama-stack.ts';
import { cuttingProxy } from '../setup/cutting-proxy.ts';
import { engineTest, ollamaImages, seedStore } from '../setup/engine-test.ts';
import { type Likeness, writeLikeness, writeLoadableLikeness } from './believable-models.ts';
import { modelRow, upload, uploadItem } from './driver.ts';
import { describePage } from './page-stack.ts';

/** Set: the pictures of the documentation are taken anew. */
const wanted = process.env.AIXCL_SCREENSHOTS === '1';
const images = fileURLToPath(new URL('../../docs/images/', import.meta.url));

const active = 'Llama-3.2-1B-Instruct-Q4_0.gguf';
const qwen: Likeness = {
  architecture: 'qwen3',
  parameters: 4.02e9,
  type: 'Q4_K',
  fileType: 15,
  contextLength: 262_144,
};
const phi: Likeness = {
  architecture: 'phi3',
  parameters: 3.84e9,
  type: 'Q4_K',
  fileType: 15,
  contextLength: 131_072,
};
const gemma: Likeness = {
  architecture: 'gemma3',
  parameters: 3.88e9,
  type: 'Q4_K',
  fileType: 15,
  contextLength: 131_072,
};
const projector: Likeness = { architecture: 'clip', parameters: 0.42e9, type: 'F16', fileType: 1 };
const nomic: Likeness = {
  architecture: 'nomic-bert',
  parameters: 137e6,
  type: 'Q8_0',
  fileType: 7,
  contextLength: 2048,
};

describePage(
  'pictures of the page',
  (the) => {
    engineTest(
      'in light, in dark and on a phone are small, and show models that people have',
      async () => {
        const { models, root } = the.home;
        await writeLoadableLikeness(join(models, active), 'I am served.');
        await ok(the.home, 'models', 'activate', active);
        await writeLikeness(join(models, 'Qwen3-4B-Instruct-2507-Q4_K_M.gguf'), qwen);
        await mkdir(join(models, 'gemma-3-4b-it'));
        await writeLikeness(join(models, 'gemma-3-4b-it', 'model.gguf'), gemma);
        await writeLikeness(join(models, 'gemma-3-4b-it', 'mmproj.gguf'), projector);
        await writeLikeness(join(models, 'nomic-embed-text-v1.5.Q8_0.gguf'), nomic);
        await ok(the.home, 'backups', 'create', 'nomic-embed-text-v1.5.Q8_0.gguf', '--yes');
        await seedStore(the.home.ollama, 'smollm2:135m', { noise: 270e6, described: ['134.52M', 'F16'] });
        const coming = join(root, 'Phi-4-mini-instruct-Q4_K_M.gguf');
        await writeLikeness(coming, phi);

        await using proxy = await cuttingProxy(the.home.ports.page, { rate: 96e6 });
        await using window = await the.open({ port: proxy.port, viewport: { width: 1280, height: 900 } });
        const { page } = window;
        await modelRow(page, active).getByText('active', { exact: true }).waitFor();
        await modelRow(page, 'smollm2:135m').waitFor();
        await upload(page, [coming]);
        await uploadItem(page, 'Phi-4-mini').getByText('left').waitFor();
        if (wanted) await until(() => proxy.towardsServer > 0.6e9);
        await page.evaluate('document.activeElement.blur()');
        await page.getByRole('region', { name: 'This machine' }).getByText('healthy').nth(1).waitFor();

        const folder = wanted ? images : root;
        await mkdir(folder, { recursive: true });
        const snapshots = page.getByRole('region', { name: 'Versions and backups' });
        for (const [look, { width, height, colorScheme }] of Object.entries(looks)) {
          await page.setViewportSize({ width, height });
          await page.emulateMedia({ colorScheme });
          const path = join(folder, `upload-page-${look}.png`);
          const { y = 0, height: tall = 0 } = (await snapshots.boundingBox()) ?? {};
          const whole = { x: 0, y: 0, width, height: y + tall + 20 };
          await page.screenshot({ path, ...(look === 'light' && { fullPage: true, clip: whole }) });
          expect((await stat(path)).size).toBeLessThan(150_000);
        }
        await expect.poll(() => shown(page)).toContain('gemma-3-4b-it');
      },
      240_000,
    );
  },
  { models: {}, ollama: () => ollamaImages().at(-1)!.image() },
);

const looks = {
  light: { width: 1280, height: 1000, colorScheme: 'light' },
  dark: { width: 1280, height: 1000, colorScheme: 'dark' },
  phone: { width: 390, height: 844, colorScheme: 'light' },
} as const;

async function until(met: () => boolean): Promise<void> {
  while (!met()) await delay(100);
}

function shown(page: Page): Promise<string> {
  return page.getByRole('region', { name: 'Models' }).innerText();
}
