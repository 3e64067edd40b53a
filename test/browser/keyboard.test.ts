import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { writeSelfTestModel } from '../../src/models/self-test-model.ts';
import { untilServed } from '../e2e/llama-stack.ts';
import { engineTest } from '../setup/engine-test.ts';
import { choose, modelRow, said } from './driver.ts';
import { describePage } from './page-stack.ts';

describePage('by keyboard alone', (the) => {
  engineTest(
    'a model is uploaded, activated, deleted and brought back, and the focus is never lost',
    async () => {
      const file = await the.file('typed.gguf', (path) => writeSelfTestModel(path, 'I was typed.'));
      await using window = await the.open();
      const { page } = window;
      await tabTo(page, 'Choose files');
      // What the browser's own window for choosing would do.
      await choose(page, [file]);
      await page.getByRole('dialog').waitFor();
      await tabTo(page, 'Upload');
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await expectFocus(page);
      await modelRow(page, 'typed.gguf').waitFor();

      await tabTo(page, 'Activate typed.gguf');
      await page.keyboard.press('Enter');
      await untilServed(the.home, 'typed.gguf');
      await modelRow(page, 'typed.gguf').getByText('active', { exact: true }).waitFor();
      await expectFocus(page);

      await tabTo(page, 'Delete a.gguf');
      await page.keyboard.press('Space');
      const dialog = page.getByRole('dialog', { name: 'Delete a.gguf?' });
      await dialog.waitFor();
      const way = await followFocus(page);
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      expect(await focused(page)).toBe('Delete a.gguf');
      // Without a stop on the way, which a screen reader would read out.
      expect(await way()).toEqual(['Delete a.gguf']);

      await page.keyboard.press('Enter');
      await dialog.getByText('The backup is held').waitFor();
      await tabTo(page, 'Delete');
      await page.keyboard.press('Enter');
      await said(page, 'a.gguf is deleted').waitFor();
      await modelRow(page, 'a.gguf').waitFor({ state: 'detached' });
      await expectFocus(page);

      await tabTo(page, 'Undo');
      await page.keyboard.press('Enter');
      await said(page, 'a.gguf is back').waitFor();
      await access(join(the.home.models, 'a.gguf'));
      await expectFocus(page);
    },
  );

  engineTest('a dialog keeps the focus until it is answered', async () => {
    await using window = await the.open();
    const { page } = window;
    await tabTo(page, /^Delete /);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByText('The backup is held').waitFor();
    for (let tab = 0; tab < 8; tab += 1) {
      await page.keyboard.press('Tab');
      const outside = await page.evaluate(
        `document.activeElement !== document.body && !document.activeElement.closest('dialog')`,
      );
      expect(outside).toBe(false);
    }
  });
});

/** Presses Tab until what has the focus is called so. */
async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  for (let tab = 0; tab < 80; tab += 1) {
    const here = await focused(page);
    if (typeof name === 'string' ? here === name : name.test(here)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab never leads to ${name}`);
}

/** What a screen reader would call it. */
function focused(page: Page): Promise<string> {
  return page.evaluate(`(${nameOf})(document.activeElement)`);
}

/** What gets the focus from now on, asked a paint later, when all that follows has been done. */
async function followFocus(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(`(() => {
    window.way = [];
    document.addEventListener('focusin', ({ target }) => window.way.push((${nameOf})(target)));
  })()`);
  return () => page.evaluate('new Promise((done) => setTimeout(() => done(window.way), 100))');
}

const nameOf = `(element) =>
  element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent.trim() ?? element.textContent.trim()`;

async function expectFocus(page: Page): Promise<void> {
  await expect.poll(() => page.evaluate('document.activeElement?.tagName ?? null')).not.toBe('BODY');
}
