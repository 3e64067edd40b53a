import { createReadStream, statSync } from 'node:fs';
import { mkdir, open, readdir, readFile, truncate } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Upload } from 'tus-js-client';
import { expect } from 'vitest';
import { writeSelfTestModel } from '../../src/models/self-test-model.ts';
import { writeSplitModel } from '../../src/models/test-models.ts';
import { answerOf, untilServed } from '../e2e/llama-stack.ts';
import { sha256Of } from '../faults/lab/oracle.ts';
import { cuttingProxy } from '../setup/cutting-proxy.ts';
import { docker, engineTest } from '../setup/engine-test.ts';
import { writeModelOfSize } from '../setup/noisy-model.ts';
import { alarm, answer, choose, modelRow, said, upload, uploadItem } from './driver.ts';
import { describePage } from './page-stack.ts';

/** Slow enough for somebody to press a button. */
const slow = { rate: 16e6 };
const size = 48 * 2 ** 20;

describePage('uploads in the page', (the) => {
  const leftOvers = () => readdir(join(the.home.models, '.aixcl', 'uploads')).catch(() => []);

  /** A file outside the models directory, as a browser's user has it. */
  async function file(name: string, write: (path: string) => Promise<unknown>): Promise<string> {
    const folder = join(the.home.root, 'downloads');
    await mkdir(folder, { recursive: true });
    await write(join(folder, name));
    return join(folder, name);
  }
  const large = (name: string) =>
    file(name, (path) => writeModelOfSize(path, { sentence: 'I am large.', seed: name, size }));

  engineTest(
    'several files chosen together become a model each, and the parts of one model one',
    async () => {
      const folder = join(the.home.root, 'downloads', 'split');
      const parts = await writeSplitModel(folder, 'tea', 'I came in two parts.');
      const one = await file('one.gguf', (path) => writeSelfTestModel(path, 'I am one.'));
      const two = await file('two.gguf', (path) => writeSelfTestModel(path, 'I am two.'));
      await using window = await the.open();
      const { page } = window;
      await upload(page, [one, ...parts, two]);
      for (const name of ['one.gguf', 'two.gguf', 'tea']) await modelRow(page, name).waitFor();
      expect(await readdir(join(the.home.models, 'tea'))).toHaveLength(2);
      await page.getByRole('list', { name: 'Uploads' }).waitFor({ state: 'detached' });
      expect(await leftOvers()).toEqual([]);

      await modelRow(page, 'tea').getByRole('button', { name: 'Activate tea' }).click();
      await untilServed(the.home, 'tea', 30_000);
      expect(await answerOf(the.home)).toBe('I came in two parts.');
    },
  );

  engineTest('one that is paused sends nothing, and goes on where it was', async () => {
    const path = await large('paused.gguf');
    await using proxy = await cuttingProxy(the.home.ports.page, slow);
    await using window = await the.open({ port: proxy.port });
    const { page } = window;
    await upload(page, [path]);
    await uploadItem(page, 'paused.gguf').getByText('/s').waitFor();
    await page.getByRole('button', { name: 'Pause paused.gguf' }).click();
    await uploadItem(page, 'paused.gguf').getByText('paused', { exact: false }).last().waitFor();
    await delay(500);
    const before = proxy.towardsServer;
    await delay(1000);
    expect(proxy.towardsServer - before).toBeLessThan(100_000);
    await page.getByRole('button', { name: 'Resume paused.gguf' }).click();
    await modelRow(page, 'paused.gguf').waitFor();
    expect(await sha256Of(join(the.home.models, 'paused.gguf'))).toBe(await sha256Of(path));
  });

  engineTest('one that is cancelled leaves nothing behind, after a question', async () => {
    const path = await large('cancelled.gguf');
    await using proxy = await cuttingProxy(the.home.ports.page, slow);
    await using window = await the.open({ port: proxy.port });
    const { page } = window;
    await upload(page, [path]);
    await uploadItem(page, 'cancelled.gguf').getByText('/s').waitFor();
    await page.getByRole('button', { name: 'Cancel cancelled.gguf' }).click();
    await answer(page, 'Cancel the upload').click();
    await said(page, 'cancelled.gguf is cleared').waitFor();
    await page.getByRole('list', { name: 'Uploads' }).waitFor({ state: 'detached' });
    expect(await leftOvers()).toEqual([]);
  });

  engineTest('one that was left goes on in its browser, and in another can be cleared', async () => {
    const [kept, dropped] = [await large('kept.gguf'), await large('dropped.gguf')];
    await using proxy = await cuttingProxy(the.home.ports.page, slow);
    await using window = await the.open({ port: proxy.port });
    await upload(window.page, [kept, dropped]);
    for (const name of ['kept.gguf', 'dropped.gguf'])
      await uploadItem(window.page, name).getByText('/s').waitFor();
    await window.page.close();

    const before = proxy.towardsServer;
    const page = await window.tab();
    await uploadItem(page, 'kept.gguf').getByText('Choose the same file again').waitFor();
    await page.getByLabel(/^Choose .*again.* kept\.gguf/).setInputFiles(kept);
    await modelRow(page, 'kept.gguf').waitFor();
    expect(proxy.towardsServer - before).toBeLessThan(size);
    expect(await sha256Of(join(the.home.models, 'kept.gguf'))).toBe(await sha256Of(kept));

    await using another = await the.open();
    await uploadItem(another.page, 'dropped.gguf').waitFor();
    await another.page.getByRole('button', { name: 'Clear dropped.gguf' }).click();
    await answer(another.page, 'Clear').click();
    await said(another.page, 'dropped.gguf is cleared').waitFor();
    await uploadItem(page, 'dropped.gguf').waitFor({ state: 'detached' });
    expect(await leftOvers()).toEqual([]);
  });

  engineTest('what is no GGUF is not sent, and what is a damaged one gets no name', async () => {
    const text = await file('notes.txt.gguf', async (path) => {
      await using handle = await open(path, 'w');
      await handle.writeFile('Notes.');
    });
    const cut = await file('cut.gguf', async (path) => {
      await writeSelfTestModel(path);
      await truncate(path, 200_000);
    });
    await using window = await the.open();
    const { page } = window;
    await choose(page, [text]);
    await alarm(page, 'it does not begin with GGUF').waitFor();
    await upload(page, [cut]);
    await uploadItem(page, 'cut.gguf').getByText('Refused').waitFor();
    await alarm(page, /past the end|cut off|shorter|truncated|ends/).waitFor();
    expect(await readdir(the.home.models)).not.toContain('cut.gguf');
    await page.getByRole('button', { name: 'Clear cut.gguf' }).click();
    await answer(page, 'Clear').click();
    await said(page, 'cut.gguf is cleared').waitFor();
    expect(await leftOvers()).toEqual([]);
  });

  engineTest('a sha256 that was given has to be that of what arrives', async () => {
    const path = await file('hashed.gguf', (path) => writeSelfTestModel(path, 'I was hashed.'));
    const right = await sha256Of(path);
    await using window = await the.open();
    const { page } = window;
    const send = async (digest: string) => {
      await choose(page, [path]);
      await page.getByRole('dialog').getByText('Check against a sha256').click();
      await page.getByLabel('sha256 of hashed.gguf').fill(digest);
      await answer(page, 'Upload').click();
    };
    await send('0'.repeat(64));
    await uploadItem(page, 'hashed.gguf').getByText('Refused').waitFor();
    await alarm(page, right.slice(0, 12)).waitFor();
    expect(await readdir(the.home.models)).not.toContain('hashed.gguf');
    await page.getByRole('button', { name: 'Clear hashed.gguf' }).click();
    await answer(page, 'Clear').click();
    await page.getByRole('list', { name: 'Uploads' }).waitFor({ state: 'detached' });

    await send(right);
    await modelRow(page, 'hashed.gguf').waitFor();
  });

  engineTest('eight at once leave the service under 150 MB', async () => {
    const paths = [];
    for (let at = 0; at < 8; at += 1) paths.push(await large(`many-${at}.gguf`));
    await using window = await the.open();
    const { page } = window;
    const [session] = await page.context().cookies();
    const cookie = `${session?.name}=${session?.value}`;
    // A tab sends two at a time.
    await Promise.all(paths.map((path) => sendByTus(new URL('/uploads', page.url()).href, cookie, path)));
    for (const path of paths) await modelRow(page, basename(path)).waitFor();
    expect(await serviceMemoryPeak()).toBeLessThan(150e6);
  });
});

/** As the page does. */
async function sendByTus(endpoint: string, cookie: string, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    new Upload(createReadStream(path), {
      endpoint,
      headers: { cookie },
      metadata: { filename: basename(path) },
      chunkSize: 4 * 2 ** 20,
      uploadSize: statSync(path).size,
      retryDelays: [500, 500, 500, 500],
      onSuccess: () => resolve(),
      onError: reject,
    }).start();
  });
}

/** Bytes of memory that the page's server had at most, of all its life. */
async function serviceMemoryPeak(): Promise<number> {
  const { stdout } = await docker(['top', 'upload-ui', '-eo', 'pid,args']);
  const [, pid] = /^\s*(\d+)\s+node .*server\.cjs$/m.exec(stdout) ?? [];
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
