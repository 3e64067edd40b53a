import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { writeSelfTestModel } from '../../src/models/self-test-model.ts';
import type { Problem } from '../../src/upload/api.ts';
import { ok } from '../e2e/llama-stack.ts';
import { engineTest } from '../setup/engine-test.ts';
import { answer, choose, modelRow, said, snapshotRow } from './driver.ts';
import { describePage } from './page-stack.ts';

const models = { 'active.gguf': 'I serve.', 'going.gguf': 'I go.', 'other.gguf': 'I go, too.' };

describePage(
  'what the page takes away',
  (the) => {
    const path = (name: string) => join(the.home.models, name);

    engineTest('is in the vault before it goes, and comes back bit for bit by undo', async () => {
      const before = await readFile(path('going.gguf'));
      await using window = await the.open();
      const { page } = window;
      await modelRow(page, 'going.gguf').getByRole('button', { name: 'Delete going.gguf' }).click();
      const dialog = page.getByRole('dialog', { name: 'Delete going.gguf?' });
      await dialog.getByText('The vault takes over').waitFor();
      await dialog.getByText('nothing is copied').waitFor();
      await answer(page, 'Delete').click();

      const notice = said(page, 'going.gguf is deleted, and kept as backup');
      await notice.waitFor();
      await modelRow(page, 'going.gguf').waitFor({ state: 'detached' });
      await expect(access(path('going.gguf'))).rejects.toThrow('ENOENT');
      const [, backup = ''] = /kept as backup (\S+)\./.exec((await notice.textContent()) ?? '') ?? [];
      expect((await backups(the.home)).map(({ id }) => id)).toEqual([backup]);

      await notice.getByRole('button', { name: 'Undo' }).click();
      await said(page, 'going.gguf is back').waitFor();
      await modelRow(page, 'going.gguf').waitFor();
      expect((await readFile(path('going.gguf'))).equals(before)).toBe(true);
    });

    engineTest('comes back from its backup later, which is verified and named in the journal', async () => {
      const before = await readFile(path('other.gguf'));
      await using window = await the.open();
      const { page } = window;
      await modelRow(page, 'other.gguf').getByRole('button', { name: 'Delete other.gguf' }).click();
      await answer(page, 'Delete').click();
      await said(page, 'other.gguf is deleted').waitFor();
      const backup = (await backups(the.home)).find(({ model }) => model === 'other.gguf');
      const id = String(backup?.id);

      await snapshotRow(page, id)
        .getByRole('button', { name: `Verify ${id}` })
        .click();
      await said(page, `${id}: every byte of other.gguf is right`).waitFor();
      expect((await backups(the.home)).find((each) => each.id === id)?.verified).not.toBeNull();

      await snapshotRow(page, id)
        .getByRole('button', { name: `Restore ${id}` })
        .click();
      await answer(page, 'Restore').click();
      await said(page, 'other.gguf is restored').waitFor();
      await modelRow(page, 'other.gguf').waitFor();
      expect((await readFile(path('other.gguf'))).equals(before)).toBe(true);

      const journal = await ok(the.home, 'journal');
      expect(journal.stdout).toContain('models remove (page)');
    });

    engineTest('is never the active model', async () => {
      await using window = await the.open();
      const { page } = window;
      await modelRow(page, 'active.gguf').getByRole('button', { name: 'Details of active.gguf' }).click();
      await page.getByText("Can't be deleted here").waitFor();
      expect(await page.getByRole('button', { name: 'Delete active.gguf' }).count()).toBe(0);
      // Who asks the server all the same is refused there.
      const [status, problem] = await asked(page, 'DELETE', '/api/models/active.gguf');
      expect([status, problem.code]).toEqual([409, 'refused']);
      await access(path('active.gguf'));
    });

    engineTest('by an upload of its name is asked for, saved, and comes back', async () => {
      const old = await readFile(path('going.gguf'));
      const file = join(the.home.root, 'going.gguf');
      await writeSelfTestModel(file, 'I am the new one.');
      await using window = await the.open();
      const { page } = window;

      await choose(page, [file]);
      await page.getByRole('dialog').getByText('going.gguf is there already').waitFor();
      // Without an answer nothing is sent.
      await answer(page, 'Upload').click();
      await page.getByRole('dialog').getByText('Choose one').waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      expect((await readFile(path('going.gguf'))).equals(old)).toBe(true);

      await choose(page, [file]);
      await page.getByLabel('Replace it.').check();
      await answer(page, 'Upload').click();
      await said(page, 'going.gguf is here and checked').waitFor();
      expect((await readFile(path('going.gguf'))).equals(await readFile(file))).toBe(true);
      const saved = (await backups(the.home)).find(({ backupType }) => backupType === 'pre_update');
      expect(saved?.model).toBe('going.gguf');

      await page.getByRole('button', { name: /^Undo.* going\.gguf/ }).click();
      await said(page, 'going.gguf is back').waitFor();
      expect((await readFile(path('going.gguf'))).equals(old)).toBe(true);
    });

    engineTest('under a name that was taken while it was uploaded waits for an answer', async () => {
      const file = join(the.home.root, 'late.gguf');
      await writeSelfTestModel(file, 'I was uploaded.');
      await using window = await the.open();
      const { page } = window;
      await choose(page, [file]);
      await page.getByRole('dialog').getByRole('button', { name: 'Upload', exact: true }).waitFor();
      await writeSelfTestModel(path('late.gguf'), 'I was there first.');
      const first = await readFile(path('late.gguf'));
      await answer(page, 'Upload').click();
      await page.getByRole('button', { name: 'Replace late.gguf' }).click();
      expect((await readFile(path('late.gguf'))).equals(first)).toBe(true);
      await answer(page, 'Replace').click();
      await page.getByRole('list', { name: 'Uploads' }).waitFor({ state: 'detached' });
      expect((await readFile(path('late.gguf'))).equals(await readFile(file))).toBe(true);
      const ids = (await backups(the.home)).filter(({ model }) => model === 'late.gguf');
      expect(ids.map(({ backupType }) => backupType)).toEqual(['pre_update']);
    });
  },
  { models },
);

/** What the server says to a request of the page's origin. */
function asked(page: Page, method: string, path: string): Promise<[number, Partial<Problem>]> {
  return page.evaluate(
    `fetch('${path}', { method: '${method}' }).then(async (answer) => [answer.status, await answer.json()])`,
  );
}

async function backups(home: Parameters<typeof ok>[0]) {
  return (await ok(home, 'backups', 'list', '--format', 'json')).json;
}
