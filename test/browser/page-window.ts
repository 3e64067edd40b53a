import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { onTestFailed } from 'vitest';
import { aixcl, type TestHome } from '../setup/engine-test.ts';

/** For something to show on the page. */
const patienceMs = 20_000;

export interface OpenWish extends BrowserContextOptions {
  /** Where to ask in place of the published port: a proxy on 127.0.0.1. */
  readonly port?: number;
}

/** A window on the page, with cookies and storage of its own. Closing it fails when the page did what it never may. */
export interface PageWindow extends AsyncDisposable {
  readonly page: Page;
  /** What the browser complained of: scripts that threw, what the content security policy stopped. */
  readonly complaints: readonly string[];
  /** Another tab, of the same session. */
  tab(): Promise<Page>;
}

/** Asks `aixcl ui` for an address, and opens it. A test that fails tells what stood there, as a screen reader has it. */
export async function openPage(browser: Browser, home: TestHome, wish: OpenWish = {}): Promise<PageWindow> {
  const { port, ...options } = wish;
  const address = new URL(await freshAddress(home));
  if (port !== undefined) address.port = String(port);
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(patienceMs);
  const elsewhere: string[] = [];
  const complaints: string[] = [];
  context.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol !== 'data:' && protocol !== 'blob:' && host !== address.host) elsewhere.push(request.url());
  });
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('console', (message) => {
    if (message.type() === 'error' && /Content Security Policy/i.test(message.text()))
      complaints.push(message.text());
  });
  const page = await context.newPage();
  let stood = '';
  onTestFailed(() => void process.stderr.write(`${stood}\n`));
  await page.goto(address.href);
  return {
    page,
    complaints,
    async tab() {
      const another = await context.newPage();
      await another.goto(new URL('/', address).href);
      return another;
    },
    async [Symbol.asyncDispose]() {
      stood = await page.locator('body').ariaSnapshot({ timeout: 2000 }).catch(String);
      await context.close();
      if (elsewhere.length > 0) throw new Error(`the page asked elsewhere: ${elsewhere.join(', ')}`);
      if (complaints.length > 0) throw new Error(`the browser complained: ${complaints.join('\n')}`);
    },
  };
}

/** With a token that nobody used yet. */
export async function freshAddress(home: TestHome): Promise<string> {
  const { code, json, stderr } = await aixcl(['ui', '--format', 'json'], { home });
  const url = json[0]?.url;
  if (code !== 0 || typeof url !== 'string') throw new Error(`aixcl ui exited with ${code}: ${stderr}`);
  return url;
}
