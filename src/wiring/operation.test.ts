import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { testHome } from '../cli/commands/vault/test-home.ts';
import { settleStep } from '../plan/operations.ts';
import { journalOf } from './journal.ts';
import { settleFirst, withOperation } from './operation.ts';

const swap = (operation: string, phase: string, name: string) => ({
  operation,
  phase,
  saved: null,
  moves: [{ from: `/nowhere/new-${name}`, to: `/nowhere/${name}` }],
  gone: [],
  staged: [],
  clear: [],
  after: null,
});

test('what a killed command left is settled under its id in the journal, before the work begins', async () => {
  await using home = await testHome();
  const { vault, models } = home.context.home;
  await withOperation(home.context, { command: 'backups create', targets: [] }, async () => {});
  await mkdir(join(vault, 'ingest', 'killed-1'));
  const notes = join(models, '.aixcl', 'swaps');
  await mkdir(notes, { recursive: true });
  await writeFile(join(notes, 'killed-2-x.json'), JSON.stringify(swap('killed-2', 'staging', 'tea.gguf')));

  const seen = await withOperation(
    home.context,
    { command: 'undo', targets: [] },
    async () => (await journalOf(home.context).read()).entries,
  );
  expect(seen.filter(({ event }) => event === 'step')).toMatchObject([
    { kind: settleStep, target: 'killed-1', because: 'what it was writing into the vault is cleared away' },
    {
      kind: settleStep,
      target: 'killed-2',
      because: 'tea.gguf: the change of its names is taken back',
    },
  ]);
});

test('a command that only looks settles names half changed, in an operation of its own', async () => {
  await using home = await testHome();
  const { models } = home.context.home;
  await settleFirst(home.context, 'models list');
  expect((await journalOf(home.context).read()).entries).toEqual([]);
  const notes = join(models, '.aixcl', 'swaps');
  await mkdir(notes, { recursive: true });
  await writeFile(join(notes, 'killed-x.json'), JSON.stringify(swap('killed', 'staging', 'tea.gguf')));
  await settleFirst(home.context, 'models list');
  expect((await journalOf(home.context).read()).entries).toMatchObject([
    { event: 'begin', command: 'models list' },
    { event: 'step', kind: settleStep, target: 'killed' },
    { event: 'end', outcome: 'done' },
  ]);
});
