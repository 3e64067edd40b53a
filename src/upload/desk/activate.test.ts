import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import { journalOf } from '../../wiring/journal.ts';
import type { PageJob, PageState } from '../api.ts';
import { entrypoint, putModel, type StandIn, standIn, type TestDesk, testDesk } from './test-desk.ts';

// Much of it is synced to the disk.
vi.setConfig({ testTimeout: 30_000 });

const serves = (name: string) => `phase: ready\nactive: ${name}\nresult: applied`;

/** A desk beside a llama-server that answers. */
async function withServer(): Promise<{ llama: StandIn; place: TestDesk }> {
  const llama = await standIn({ '/health': {} });
  const place = await testDesk({ addresses: { llamaServer: llama.address } });
  await mkdir(place.at('.aixcl'));
  for (const name of ['tea.gguf', 'milk.gguf']) await putModel(place.at(name));
  return { llama, place };
}

test('an activation tells its course until llama-server serves the model', async () => {
  const { llama, place } = await withServer();
  await using _llama = llama;
  await using _place = place;
  const details = new Set<string | null>();
  await using _entrypoint = entrypoint(place, async (name) => {
    await expect.poll(() => details.has('switching'), { timeout: 5000 }).toBe(true);
    return serves(name);
  });
  using _watching = place.desk.watch(({ jobs }: PageState) => details.add(jobs[0]?.detail ?? null));
  const job = await place.ended(await place.desk.activate('tea.gguf'));
  expect(job).toMatchObject({ kind: 'activate', outcome: 'done', detail: 'llama-server serves it' });
  await expect.poll(() => details.has('llama-server serves it')).toBe(true);
  const { activation, models } = await place.desk.state();
  expect(activation).toMatchObject({ active: 'tea.gguf', phase: 'ready', result: 'applied' });
  expect(models.find(({ name }) => name === 'tea.gguf')?.active).toBe(true);
  expect(await readFile(place.at('.aixcl', 'request.taken'), 'utf8')).toContain('\nby: page\n');
  const { entries } = await journalOf(place.surroundings).read();
  expect(entries[0]).toMatchObject({ command: 'models activate (page)', targets: ['tea.gguf'] });
  expect(entries.at(-1)).toMatchObject({ event: 'end', outcome: 'done' });
});

test('one that does not load tells why in llama-server’s own words, and who serves', async () => {
  const { llama, place } = await withServer();
  await using _llama = llama;
  await using _place = place;
  await using _entrypoint = entrypoint(
    place,
    () =>
      'phase: ready\nactive: milk.gguf\nresult: reverted\nreason: it ended with status 1\nlog: missing tensor\nlog: giving up',
  );
  const { problem } = await place.ended(await place.desk.activate('tea.gguf'));
  expect(problem).toMatchObject({
    status: 502,
    code: 'unhealthy',
    detail: '"tea.gguf" did not come up: it ended with status 1. "milk.gguf" serves as before.',
    evidence: ['missing tensor', 'giving up'],
  });
  expect((await place.desk.state()).activation).toMatchObject({
    active: 'milk.gguf',
    result: 'reverted',
    log: ['missing tensor', 'giving up'],
  });
});

test('of two at once the newer one wins, and the older one ends refused', async () => {
  const { llama, place } = await withServer();
  await using _llama = llama;
  await using _place = place;
  const older = await place.desk.activate('tea.gguf');
  await expect.poll(() => readFile(place.at('.aixcl', 'request'), 'utf8')).toContain('tea.gguf');
  const newer = await place.desk.activate('milk.gguf');
  await expect.poll(() => readFile(place.at('.aixcl', 'request'), 'utf8')).toContain('milk.gguf');
  expect((await place.ended(older)).problem).toMatchObject({
    code: 'refused',
    detail: expect.stringContaining('another model was asked for meanwhile'),
  });
  await using _entrypoint = entrypoint(place, serves);
  expect((await place.ended(newer)).outcome).toBe('done');
});

test('what is served already is not asked for again', async () => {
  const { llama, place } = await withServer();
  await using _llama = llama;
  await using _place = place;
  await symlink('tea.gguf', place.at('current.gguf'));
  await writeFile(place.at('.active_model'), 'tea.gguf\n');
  await writeFile(place.at('.aixcl', 'state'), `${serves('tea.gguf')}\n`);
  const job = await place.ended(await place.desk.activate('tea.gguf'));
  expect(job).toMatchObject({ outcome: 'done', detail: 'llama-server serves it already' });
  await expect(readFile(place.at('.aixcl', 'request'))).rejects.toThrow('ENOENT');
});

test('with llama-server stopped the wish is recorded', async () => {
  await using place = await testDesk();
  await putModel(place.at('tea.gguf'));
  const job = await place.ended(await place.desk.activate('tea.gguf'));
  expect(job).toMatchObject({ outcome: 'done', detail: expect.stringContaining('at the next start') });
  expect((await place.desk.state()).activation).toMatchObject({ wanted: 'tea.gguf', result: 'pending' });
});

test('when the page is stopped what runs is stopped too, and the journal says so', async () => {
  const { llama, place } = await withServer();
  await using _llama = llama;
  await using _place = place;
  const { id }: PageJob = await place.desk.activate('tea.gguf');
  await expect.poll(() => readFile(place.at('.aixcl', 'request'), 'utf8')).toContain('tea.gguf');
  await place.desk[Symbol.asyncDispose]();
  expect(place.desk.job(id)).toMatchObject({ outcome: 'failed', problem: { code: 'terminated' } });
  const { entries } = await journalOf(place.surroundings).read();
  expect(entries.at(-1)).toMatchObject({ event: 'end', outcome: 'interrupted' });
});
