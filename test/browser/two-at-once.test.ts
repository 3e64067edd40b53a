import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { servedModel, untilServed } from '../e2e/llama-stack.ts';
import { engineTest } from '../setup/engine-test.ts';
import { alarm, answer, modelRow, said } from './driver.ts';
import { activeByCommandLine, describePage } from './page-stack.ts';

const models = { 'a.gguf': 'I am A.', 'b.gguf': 'I am B.', 'c.gguf': 'I am C.' };

describePage(
  'two at once',
  (the) => {
    engineTest('what one tab does, the other shows', async () => {
      await using window = await the.open();
      const [one, other] = [window.page, await window.tab()];
      await modelRow(one, 'c.gguf').getByRole('button', { name: 'Delete c.gguf' }).click();
      await answer(one, 'Delete').click();
      await modelRow(other, 'c.gguf').waitFor({ state: 'detached' });
      await other.getByRole('button', { name: /^Undo.* c\.gguf/ }).click();
      await modelRow(one, 'c.gguf').waitFor();
      await said(other, 'c.gguf is back').waitFor();
    });

    engineTest('two tabs that activate different models end with one, and say which', async () => {
      await using window = await the.open();
      const tabs = [window.page, await window.tab()] as const;
      await Promise.all(
        tabs.map((tab, at) => {
          const name = at === 0 ? 'b.gguf' : 'c.gguf';
          return modelRow(tab, name)
            .getByRole('button', { name: `Activate ${name}` })
            .click();
        }),
      );
      await expect
        .poll(() => Promise.all(tabs.map((tab) => jobs(tab))), { timeout: 30_000 })
        .toEqual([noneRuns, noneRuns]);
      const [active = ''] = await activeByCommandLine(the.home);
      expect(['b.gguf', 'c.gguf']).toContain(active);
      await untilServed(the.home, active);
      for (const tab of tabs) {
        const marked = tab.getByRole('region', { name: 'Models' }).getByText('active', { exact: true });
        await modelRow(tab, active).getByText('active', { exact: true }).waitFor();
        expect(await marked.count()).toBe(1);
      }
    });

    engineTest('while a command holds the vault, the page says who, and changes nothing', async () => {
      await using window = await the.open();
      const { page } = window;
      // The vault is there once something was saved in it.
      const lock = join(the.home.root, 'vault', 'lock');
      await access(lock);
      const holder = spawn(
        'flock',
        [lock, 'sh', '-c', `echo 'aixcl backups create' > '${lock}'; echo held; exec cat`],
        {
          stdio: ['pipe', 'pipe', 'inherit'],
        },
      );
      try {
        await once(holder.stdout, 'data');
        await page.getByText('Another aixcl is at work').first().waitFor();
        await page.getByText('aixcl backups create').first().waitFor();
        const served = await servedModel(the.home);
        const going = served === 'a.gguf' ? 'b.gguf' : 'a.gguf';
        await modelRow(page, going)
          .getByRole('button', { name: `Delete ${going}` })
          .click();
        await answer(page, 'Delete').click();
        await alarm(page, 'Another aixcl is at work').waitFor();
        await access(join(the.home.models, going));
      } finally {
        holder.stdin.end();
        await once(holder, 'exit');
      }
      await page.getByText('Another aixcl is at work: ').waitFor({ state: 'detached' });
    });
  },
  { models },
);

const noneRuns: readonly string[] = [];

/** Those that run, by what the tab's server says. */
function jobs(tab: Page): Promise<string[]> {
  return tab.evaluate(
    `fetch('/api/state').then((answer) => answer.json()).then(({ jobs }) => jobs.filter(({ outcome }) => outcome === 'running').map(({ target }) => target))`,
  );
}
