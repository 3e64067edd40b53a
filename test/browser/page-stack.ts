import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSelfTestModel } from '../../src/models/self-test-model.ts';
import { ok, sentences } from '../e2e/llama-stack.ts';
import { makeHome, pageImage, resetEngine, type TestHome } from '../setup/engine-test.ts';

/** A home with these models on an empty engine; llama-server and the page run. */
export async function homeWithPage(
  models: Readonly<Record<string, string>> = sentences,
): Promise<TestHome> {
  await resetEngine();
  const home = await makeHome({ page: await pageImage() });
  await mkdir(home.models);
  for (const [name, sentence] of Object.entries(models))
    await writeSelfTestModel(join(home.models, name), sentence);
  await ok(home, 'stack', 'start', 'llama-server', 'upload-ui');
  return home;
}
