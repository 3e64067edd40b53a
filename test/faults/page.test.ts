import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { PageJob } from '../../src/upload/api.ts';
import {
  type Content,
  contentOf,
  type FaultHome,
  faultHome,
  faultTest,
  isSaved,
  type Point,
  pointsOf,
  savedIn,
  sweepAll,
  writeModel,
} from './lab/fault-test.ts';
import { type Page, startPage } from './lab/page.ts';

const model = 'tea.gguf';

/** The model stands under its name or lies in the vault, whole, and all that the vault names is whole. */
async function assertLiveOrSaved(home: FaultHome, content: Content): Promise<void> {
  for (const { id, wrong } of await savedIn(home.vault)) expect({ id, wrong }).toEqual({ id, wrong: [] });
  const live = await contentOf(join(home.models, model));
  if (live !== undefined) expect(live).toEqual(content);
  else expect(isSaved(await savedIn(home.vault), content)).toBe(true);
}

/** Deletes the model through a page that may be killed meanwhile, or before; undefined: it was. */
async function removeByPage(home: FaultHome, options: Parameters<typeof startPage>[1]) {
  let page: Page | undefined;
  try {
    page = await startPage(home, options);
    return await page.job('DELETE', `/api/models/${model}`);
  } catch {
    return undefined;
  } finally {
    await page?.stop();
  }
}

/** Of each kind of call that changes names or makes them last, two; in a full sweep all calls. */
function chosen(points: readonly Point[]): readonly Point[] {
  if (sweepAll) return points;
  const kinds = ['rename', 'link', 'unlink', 'fsync', 'rmdir'];
  return kinds.flatMap((kind) => {
    const own = points.filter(({ call }) => call === kind);
    return own.filter((_, index) => index % Math.ceil(own.length / 2) === 0);
  });
}

faultTest(
  '1: a page killed at any step of a deletion leaves the old state or the new, and the command line settles it',
  async () => {
    await using home = await faultHome();
    const path = join(home.models, model);
    const content = { [model]: await writeModel(path, 'tea') };
    const log = join(home.scratch, 'calls');
    expect(await removeByPage(home, { log })).toMatchObject({ outcome: 'done' });
    let met = 0;
    for (const { call, nth } of chosen(await pointsOf(log))) {
      if (!(await contentOf(path))) await home.must(['undo', '--yes']);
      const inject = [{ calls: [call], effect: 'signal=SIGKILL', when: nth } as const];
      const job = await removeByPage(home, { inject });
      if (job === undefined) met += 1;
      else expect(job.outcome).toBe('done');
      await assertLiveOrSaved(home, content);
      // Another command comes, and finishes or takes back what was left half done.
      await home.must(['backups', 'create']);
      await assertLiveOrSaved(home, content);
      expect(await readdir(join(home.models, '.aixcl', 'outgoing')).catch(() => [])).toEqual([]);
      expect([0, 4]).toContain((await home.run(['models', 'remove', model, '--yes'])).code);
      expect(await contentOf(path)).toBeUndefined();
      await assertLiveOrSaved(home, content);
    }
    expect(met).toBeGreaterThan(5);
  },
  1_800_000,
);

faultTest(
  '14: the page and a command at once: each is done or finds the other at work, one at least is done',
  async () => {
    await using home = await faultHome();
    const names = ['tea.gguf', 'milk.gguf'];
    const contents: Content[] = [];
    for (const name of names) contents.push({ [name]: await writeModel(join(home.models, name), name) });
    await using page = await startPage(home);
    for (let pair = 0; pair < (sweepAll ? 50 : 8); pair += 1) {
      const [job, run] = await Promise.all([
        page.job('DELETE', `/api/models/${names[pair % 2]}`).catch((error: unknown) => error as Error),
        home.run(['models', 'remove', names[pair % 2] as string, '--yes']),
      ]);
      // The one that comes second finds no such model, or the other at work.
      expect([0, 3, 4, 11], run.stderr).toContain(run.code);
      const isDone = !(job instanceof Error) && job.outcome === 'done';
      if (!isDone) expect(String(codeOf(job))).toMatch(/busy|notFound|refused/);
      expect([isDone, run.code === 0]).toContain(true);
      expect(await contentOf(join(home.models, names[pair % 2] as string))).toBeUndefined();
      expect(isSaved(await savedIn(home.vault), contents[pair % 2] as Content)).toBe(true);
      await home.must(['undo', '--yes']);
    }
    const ids = (await savedIn(home.vault)).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  },
  600_000,
);

function codeOf(job: PageJob | Error): string {
  return job instanceof Error ? job.message : (job.problem?.code ?? '');
}
