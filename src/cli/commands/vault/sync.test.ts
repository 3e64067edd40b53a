import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Arguments } from 'yargs';
import type { Snapshot } from '../../../vault/snapshot.ts';
import type { Vault } from '../../../vault/vault.ts';
import { secondVaultOf, vaultOf } from '../../../wiring/vault.ts';
import { sync } from './sync.ts';
import { saved, spoil, type TestHome, testHome } from './test-home.ts';

let home: TestHome;
let folder: string;
beforeEach(async () => {
  home = await testHome();
  folder = join(home.root, 'second');
});
afterEach(() => home[Symbol.asyncDispose]());

const here = () => vaultOf(home.context);
const there = () => secondVaultOf(home.context, folder);
const synced = () => home.run((context) => sync(context, { folder } as unknown as Arguments));

async function idsThere(): Promise<(readonly [string, string])[]> {
  const { snapshots, broken } = await there().contents();
  expect(broken).toEqual([]);
  return snapshots.map(({ id, subject }) => [id, subject.name] as const).sort();
}

const quarantined = async () =>
  (await readdir(join(folder, 'quarantine'))).filter((name) => !name.endsWith('.json'));

async function metadataOf(vault: Vault, { digest }: Snapshot): Promise<string> {
  const { config } = JSON.parse(await readFile(vault.blobPath(digest), 'utf8'));
  return vault.blobPath(config.digest);
}

test('a damaged or missing record of the second vault is written there anew, the bad bytes kept', async () => {
  const tea = await saved(here(), 'tea.gguf', 'op-1');
  const ale = await saved(here(), 'ale.gguf', 'op-2');
  await synced();
  await spoil(there().blobPath(tea.digest), 'no manifest');
  await rm(await metadataOf(there(), ale));
  const { result, error } = await synced();
  expect(error).toBeUndefined();
  expect(result?.steps.filter(({ kind }) => kind === 'mend')).toMatchObject([
    { target: 'b0001', outcome: 'done', because: expect.stringContaining('damaged') },
    { target: 'b0002', outcome: 'done', because: expect.stringContaining('missing') },
  ]);
  expect(await idsThere()).toEqual([
    ['b0001', 'tea.gguf'],
    ['b0002', 'ale.gguf'],
  ]);
  const [kept] = await quarantined();
  expect(await readFile(join(folder, 'quarantine', kept!), 'utf8')).toBe('no manifest');
});

test.each(['', '{"manifests": [', undefined])(
  'an index of the second vault that is %j is made anew, without losing what only that vault has',
  async (content) => {
    await saved(here(), 'tea.gguf', 'op-1');
    await saved(here(), 'ale.gguf', 'op-2');
    await synced();
    await saved(there(), 'only-there.gguf', 'op-3');
    const before = await idsThere();
    const index = join(folder, 'index.json');
    if (content === undefined) await rm(index);
    else await writeFile(index, content);
    const { result, error } = await synced();
    expect(error).toBeUndefined();
    expect(result?.steps[0]).toMatchObject({ kind: 'mend', target: 'index.json', outcome: 'done' });
    expect(await idsThere()).toEqual(before);
    expect((await quarantined()).length).toBe(content === undefined ? 0 : 1);
    expect((await synced()).result?.changed).toBe(false);
  },
);

test('a lost index and a damaged record at once are mended by one run', async () => {
  const tea = await saved(here(), 'tea.gguf', 'op-1');
  await synced();
  await writeFile(join(folder, 'index.json'), 'x');
  await spoil(there().blobPath(tea.digest), 'y');
  expect((await synced()).error).toBeUndefined();
  expect((await idsThere()).map(([, name]) => name)).toEqual(['tea.gguf']);
});

test('an entry that was changed by hand is made anew; one of a stranger stays', async () => {
  const tea = await saved(here(), 'tea.gguf', 'op-1');
  await synced();
  const index = join(folder, 'index.json');
  const value = JSON.parse(await readFile(index, 'utf8'));
  const stranger = { mediaType: 'application/x', digest: `sha256:${'0'.repeat(64)}`, size: 1 };
  value.manifests = [{ ...value.manifests[0], annotations: {} }, stranger];
  await writeFile(index, JSON.stringify(value));
  const { error } = await synced();
  expect(error).toMatchObject({ code: 'verification' });
  const { snapshots, broken } = await there().contents();
  expect(snapshots).toMatchObject([{ id: 'b0001', digest: tea.digest }]);
  expect(broken).toHaveLength(1);
});

test('a record that only the second vault had is told, and all else is brought over', async () => {
  await saved(here(), 'tea.gguf', 'op-1');
  await synced();
  const lost = await saved(there(), 'only-there.gguf', 'op-3');
  await rm(there().blobPath(lost.digest));
  await saved(here(), 'ale.gguf', 'op-4');
  const { result, error } = await synced();
  expect(error).toMatchObject({ code: 'verification', message: expect.stringContaining(lost.id) });
  expect(result?.steps).toContainEqual(expect.objectContaining({ kind: 'mend', outcome: 'failed' }));
  const { snapshots } = await there().contents();
  expect(snapshots.map(({ subject }) => subject.name).sort()).toEqual(['ale.gguf', 'tea.gguf']);
});

test('a dry run tells what would be mended, and changes nothing', async () => {
  const tea = await saved(here(), 'tea.gguf', 'op-1');
  await synced();
  await writeFile(join(folder, 'index.json'), 'x');
  await spoil(there().blobPath(tea.digest), 'y');
  const { context } = home;
  const dry = { ...context, flags: { ...context.flags, dryRun: true } };
  const { result } = await home.run(() => sync(dry, { folder } as unknown as Arguments));
  expect(result).toMatchObject({ changed: false, steps: [{ kind: 'mend', outcome: 'planned' }, {}] });
  expect(await readFile(join(folder, 'index.json'), 'utf8')).toBe('x');
});

test('an index of this vault that can not be read stops it', async () => {
  await saved(here(), 'tea.gguf', 'op-1');
  await synced();
  await writeFile(join(here().path, 'index.json'), 'x');
  const { error } = await synced();
  expect(error).toMatchObject({ code: 'verification', message: expect.stringContaining(here().path) });
});
