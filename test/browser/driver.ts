import type { Locator, Page } from 'playwright-core';

/** What somebody finds and does on the page. By roles and names alone, as a screen reader tells them. */

/** The row of a model. */
export function modelRow(page: Page, name: string): Locator {
  return rowOf(page.getByRole('region', { name: 'Models' }), name);
}

/** The row of a version or backup. */
export function snapshotRow(page: Page, id: string): Locator {
  return page.getByRole('region', { name: 'Versions and backups' }).getByRole('row').filter({ hasText: id });
}

/** An upload that is no model yet. */
export function uploadItem(page: Page, file: string): Locator {
  return page.getByRole('list', { name: 'Uploads' }).getByRole('listitem').filter({ hasText: file });
}

/** Chooses files and agrees. */
export async function upload(page: Page, paths: readonly string[]): Promise<void> {
  await choose(page, paths);
  await page.getByRole('dialog').getByRole('button', { name: 'Upload', exact: true }).click();
}

export async function choose(page: Page, paths: readonly string[]): Promise<void> {
  await page.getByLabel('Choose files').setInputFiles([...paths]);
}

/** The button of a dialog that is open. */
export function answer(page: Page, name: string): Locator {
  return page.getByRole('dialog').getByRole('button', { name, exact: true });
}

/** A result that was said. */
export function said(page: Page, text: string | RegExp): Locator {
  return page.getByRole('status').filter({ hasText: text }).first();
}

/** An error that was said. */
export function alarm(page: Page, text: string | RegExp): Locator {
  return page.getByRole('alert').filter({ hasText: text }).first();
}

function rowOf(region: Locator, name: string): Locator {
  const literal = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return region
    .getByRole('row')
    .filter({ has: region.page().getByRole('rowheader', { name: new RegExp(`^${literal}( |$)`) }) });
}
