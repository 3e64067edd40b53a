import { copyFile, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { writeSelfTestModel } from '../../src/models/self-test-model.ts';
import { untilServed } from '../e2e/llama-stack.ts';
import { engineTest } from '../setup/engine-test.ts';
import { modelRow } from './driver.ts';
import { activeByCommandLine, describePage } from './page-stack.ts';

describePage('what a hand damages', (the) => {
  const path = (name: string) => join(the.home.models, name);

  engineTest('in .active_model is told with the reason, and a.gguf stays active', async () => {
    await using window = await the.open();
    const { page } = window;
    await untilServed(the.home, 'a.gguf');
    const active = page.getByRole('region', { name: 'Active model' });
    for (const content of [
      '../b.gguf',
      '/etc/passwd',
      'b.gguf\na.gguf\n',
      'b.gguf\0',
      '\uFEFFb.gguf\n',
      '',
    ]) {
      await writeFile(path('.active_model'), content);
      await active.getByText('.active_model').first().waitFor();
      // The entrypoint writes it anew, so that the next one is a wish of its own.
      await expect.poll(() => readFile(path('.active_model'), 'utf8'), { timeout: 10_000 }).toBe('a.gguf\n');
      expect(await activeByCommandLine(the.home)).toEqual(['a.gguf']);
    }
    await modelRow(page, 'a.gguf').getByText('active', { exact: true }).waitFor();
    await untilServed(the.home, 'a.gguf');
  });

  engineTest('in current.gguf is told: a link that dangles, loops or leads out', async () => {
    await using window = await the.open();
    const { page } = window;
    const active = page.getByRole('region', { name: 'Active model' });
    for (const target of ['nothing.gguf', 'current.gguf', '/etc/passwd']) {
      await symlink(target, path('.link'));
      await rename(path('.link'), path('current.gguf'));
      await active.getByText('current.gguf').first().waitFor();
      await modelRow(page, 'a.gguf').getByText('active', { exact: true }).waitFor();
      await untilServed(the.home, 'a.gguf');
    }
  });

  engineTest('in a GGUF is told within seconds, and such a one can not be activated', async () => {
    await using window = await the.open();
    const { page } = window;
    const broken = {
      // Never whole in the folder, where the page would show it as that.
      'cut.gguf': async (name: string) => {
        const cut = await the.file(name, (file) => writeSelfTestModel(file));
        await truncate(cut, 200_000);
        await copyFile(cut, path(name));
      },
      // Header of version 3 with 2^63 tensors and as many keys.
      'counts.gguf': (name: string) =>
        writeFile(path(name), Buffer.from('475547460300000000000000000000800000000000000080', 'hex')),
      'magic.gguf': (name: string) => writeFile(path(name), 'GGML, and no GGUF'),
    };
    for (const [name, write] of Object.entries(broken)) await write(name);
    const models = page.getByRole('region', { name: 'Models' });
    for (const name of Object.keys(broken)) {
      await models.getByText(name).first().waitFor();
      expect(await page.getByRole('button', { name: `Activate ${name}` }).count()).toBe(0);
    }
    await modelRow(page, 'cut.gguf').getByText('damaged').waitFor();
    for (const name of Object.keys(broken)) await rm(path(name));
    await modelRow(page, 'cut.gguf').waitFor({ state: 'detached' });
  });
});
