import { expect } from 'vitest';
import { writeUnloadableModel } from '../../src/models/test-models.ts';
import { answerOf, ok, sentences, untilServed } from '../e2e/llama-stack.ts';
import { docker, engineTest } from '../setup/engine-test.ts';
import { alarm, modelRow, upload } from './driver.ts';
import { activeByCommandLine, describePage } from './page-stack.ts';

describePage('an activation in the page', (the) => {
  engineTest(
    'is what llama-server serves and the command line lists, also after containers went',
    async () => {
      await using window = await the.open();
      const { page } = window;
      await modelRow(page, 'b.gguf').getByRole('button', { name: 'Activate b.gguf' }).click();
      await page.getByRole('list', { name: 'Activation of b.gguf' }).waitFor();
      await modelRow(page, 'b.gguf').getByText('active', { exact: true }).waitFor();
      await untilServed(the.home, 'b.gguf');
      expect(await activeByCommandLine(the.home)).toEqual(['b.gguf']);

      await ok(the.home, 'stack', 'stop');
      expect((await docker(['rm', '-f', 'llama-server'])).code).toBe(0);
      await ok(the.home, 'stack', 'start', 'llama-server', 'upload-ui');
      await untilServed(the.home, 'b.gguf');
      // The page finds its service again by itself, and its session holds.
      await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
      await modelRow(page, 'b.gguf').getByText('active', { exact: true }).waitFor();
    },
  );

  engineTest("of a model that does not load goes back: the page shows llama-server's reason", async () => {
    await using window = await the.open();
    const { page } = window;
    const broken = await the.file('broken.gguf', writeUnloadableModel);
    await upload(page, [broken]);
    await modelRow(page, 'broken.gguf').waitFor();
    const [before = ''] = await activeByCommandLine(the.home);
    await modelRow(page, 'broken.gguf').getByRole('button', { name: 'Activate broken.gguf' }).click();
    await alarm(page, 'broken.gguf is not active').getByText('output_norm.weight').first().waitFor();
    await modelRow(page, before).getByText('active', { exact: true }).waitFor();
    expect(await activeByCommandLine(the.home)).toEqual([before]);
    expect(await answerOf(the.home)).toBe(sentences[before as keyof typeof sentences]);
  });
});
