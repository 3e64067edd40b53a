import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { writeSelfTestModel } from '../../src/models/self-test-model.ts';
import { ok, sentences } from '../e2e/llama-stack.ts';
import type { Disk } from '../faults/lab/disks.ts';
import { startChromium } from '../setup/chromium.ts';
import {
  describeEngine,
  type HomeWish,
  makeHome,
  pageImage,
  resetEngine,
  type TestHome,
  testEngine,
} from '../setup/engine-test.ts';
import { type OpenWish, openPage, type PageWindow } from './page-window.ts';

/** What the tests of a file share: llama-server and the page run, and a browser. */
export interface PageSuite {
  readonly home: TestHome;
  readonly browser: Browser;
  open(wish?: OpenWish): Promise<PageWindow>;
}

export interface PageStackWish {
  /** Names and what they answer; absent: `a.gguf` and `b.gguf`. */
  readonly models?: Readonly<Record<string, string>>;
  /** Of Ollama, which runs only where it is given. */
  readonly ollama?: () => Promise<string>;
  /** A disk of the models' own. */
  readonly disk?: () => Disk;
}

/** `describe` with such a stack on an empty engine, which is gone at the end. */
export function describePage(name: string, body: (the: PageSuite) => void, wish: PageStackWish = {}): void {
  describeEngine(name, () => {
    let home: TestHome | undefined;
    let browser: Browser | undefined;
    let disk: Disk | undefined;
    beforeAll(async () => {
      disk = wish.disk?.();
      home = await homeWithPage(wish, disk);
      browser = await startChromium();
    });
    afterAll(async () => {
      await browser?.close();
      // The page writes into the home until it ends.
      await testEngine().removeContainers();
      await home?.[Symbol.asyncDispose]();
      disk?.[Symbol.dispose]();
    });
    body({
      get home() {
        return home!;
      },
      get browser() {
        return browser!;
      },
      open: (options) => openPage(browser!, home!, options),
    });
  });
}

async function homeWithPage(
  { models = sentences, ollama }: PageStackWish,
  disk: Disk | undefined,
): Promise<TestHome> {
  await resetEngine();
  const images: HomeWish = { page: await pageImage(), ...(ollama && { ollama: await ollama() }) };
  const home = withModelsOn(disk, await makeHome(images));
  await mkdir(home.models);
  for (const [name, sentence] of Object.entries(models))
    await writeSelfTestModel(join(home.models, name), sentence);
  await ok(home, 'stack', 'start', ...(ollama ? [] : ['llama-server', 'upload-ui']));
  return home;
}

function withModelsOn(disk: Disk | undefined, home: TestHome): TestHome {
  if (!disk) return home;
  const models = join(disk.path, 'models');
  return { ...home, models, env: { ...home.env, AIXCL_MODELS_DIR: models } };
}

/** What `aixcl models list` calls active. */
export async function activeByCommandLine(home: TestHome): Promise<string[]> {
  const { json } = await ok(home, 'models', 'list', '--format', 'json');
  return json.filter(({ active }) => active === true).map(({ name }) => String(name));
}
