import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { modelsDirectoryAt } from '../../adapters/models-directory/directory.ts';
import type { ModelName } from '../../models/model-name.ts';
import { digestOf } from '../../vault/digest.ts';
import { journalOf } from '../../wiring/journal.ts';
import { vaultOf } from '../../wiring/vault.ts';
import { putModel, sha256Of, type TestDesk, testDesk } from './test-desk.ts';

// Much of it is synced to the disk.
vi.setConfig({ testTimeout: 30_000 });

async function commandsOf({ surroundings }: TestDesk) {
  const { entries } = await journalOf(surroundings).read();
  return entries.flatMap((entry) => {
    if (entry.event === 'begin') return `${entry.command} ${entry.targets.join(' ')}`;
    return entry.event === 'end' ? entry.outcome : [];
  });
}

test('P1: what the page deletes lies in the vault with its bytes, and undo brings it back as it was', async () => {
  await using place = await testDesk();
  const sha256 = await putModel(place.at('tea.gguf'));
  const { ino } = await stat(place.at('tea.gguf'));
  const removal = await place.desk.removal('tea.gguf');
  expect(removal).toMatchObject({
    model: 'tea.gguf',
    files: ['tea.gguf'],
    takes: { linked: removal.size, copied: 0, had: 0 },
    refused: null,
  });
  const removed = await place.ended(await place.desk.remove('tea.gguf'));
  expect(removed).toMatchObject({ outcome: 'done', backup: 'b0001', target: 'tea.gguf' });
  expect(removed.detail).toContain(removal.heldUntil);
  expect(await readdir(place.home.models)).not.toContain('tea.gguf');
  const blob = vaultOf(place.surroundings).blobPath(digestOf(sha256));
  expect((await stat(blob)).ino).toBe(ino);
  const state = await place.desk.state();
  expect(state.undo).toMatchObject({ backup: 'b0001', model: 'tea.gguf' });
  expect(state.snapshots).toMatchObject([
    {
      id: 'b0001',
      backupType: 'pre_deletion',
      damage: null,
      verified: expect.any(String),
      notRestorable: null,
    },
  ]);
  expect(await place.ended(await place.desk.undo('b0001'))).toMatchObject({ outcome: 'done', backup: null });
  expect(await sha256Of(place.at('tea.gguf'))).toBe(sha256);
  expect((await place.desk.state()).undo).toBeNull();
  await expect(place.desk.undo('b0001')).rejects.toMatchObject({ code: 'notFound' });
  expect(await commandsOf(place)).toEqual([
    'models remove (page) tea.gguf',
    'done',
    'undo (page) tea.gguf',
    'done',
  ]);
});

test('what stands where a snapshot is restored is saved first, and shown before', async () => {
  await using place = await testDesk();
  const old = await putModel(place.at('tea.gguf'), 'The old one.');
  await place.ended(await place.desk.remove('tea.gguf'));
  expect((await place.desk.restoration('b0001')).standing).toBe('none');
  const young = await putModel(place.at('tea.gguf'), 'The young one.');
  const restoration = await place.desk.restoration('b0001');
  expect(restoration).toMatchObject({ backup: 'b0001', model: 'tea.gguf', standing: 'other' });
  expect(restoration.steps).toEqual([
    expect.stringMatching(/^save tea.gguf .* first: what stands there goes$/),
    expect.stringMatching(/^restore tea.gguf from b0001/),
  ]);
  const restored = await place.ended(await place.desk.restore('b0001'));
  expect(restored).toMatchObject({ outcome: 'done', backup: 'b0002' });
  expect(await sha256Of(place.at('tea.gguf'))).toBe(old);
  expect(await sha256Of(vaultOf(place.surroundings).blobPath(digestOf(young)))).toBe(young);
  expect((await place.desk.restoration('b0001')).standing).toBe('same');
  expect(await place.ended(await place.desk.restore('b0001'))).toMatchObject({
    outcome: 'done',
    backup: null,
    detail: expect.stringContaining('it stands there as b0001 has it'),
  });
});

test('verifying tells whether every byte is right, and of a damaged one what mends it', async () => {
  await using place = await testDesk();
  const sha256 = await putModel(place.at('tea.gguf'));
  await place.ended(await place.desk.remove('tea.gguf'));
  expect(await place.ended(await place.desk.verify('b0001'))).toMatchObject({
    outcome: 'done',
    detail: 'every byte of tea.gguf is right',
  });
  const blob = vaultOf(place.surroundings).blobPath(digestOf(sha256));
  const { size } = await stat(blob);
  await rm(blob);
  await writeFile(blob, Buffer.alloc(size));
  expect(await place.ended(await place.desk.verify('b0001'))).toMatchObject({
    outcome: 'failed',
    problem: { code: 'verification', status: 422, hint: 'aixcl vault verify --repair' },
  });
  const { snapshots, undo } = await place.desk.state();
  expect(snapshots[0]?.damage).toContain('in the vault');
  expect(undo).toBeNull();
  expect((await commandsOf(place)).slice(-2)).toEqual(['backups verify (page) b0001', 'failed']);
});

test('while another aixcl has the vault it is said who, and nothing is changed', async () => {
  await using place = await testDesk();
  const sha256 = await putModel(place.at('tea.gguf'));
  await putModel(place.at('milk.gguf'));
  await place.ended(await place.desk.remove('milk.gguf'));
  const lock = join(place.home.vault, 'lock');
  await writeFile(lock, 'aixcl backups create (pid 7)\n');
  expect((await place.desk.state()).busy).toBeNull();
  const other = spawn('flock', [
    '--no-fork',
    lock,
    'sh',
    '-c',
    'echo "aixcl models add (pid 8)" > "$0"; echo; cat',
    lock,
  ]);
  await once(other.stdout, 'data');
  try {
    expect((await place.desk.state()).busy).toBe('aixcl models add (pid 8)');
    for (const job of [await place.desk.remove('tea.gguf'), await place.desk.undo('b0001')]) {
      expect((await place.ended(job)).problem).toMatchObject({
        status: 423,
        code: 'busy',
        detail: expect.stringContaining('aixcl models add (pid 8) is at work'),
        hint: 'Wait until it is done, then try again.',
      });
    }
    expect(await sha256Of(place.at('tea.gguf'))).toBe(sha256);
    expect(await readdir(place.home.models)).not.toContain('milk.gguf');
    expect((await place.desk.state()).snapshots).toHaveLength(1);
  } finally {
    other.stdin.end();
    await once(other, 'close');
  }
  expect((await place.desk.state()).busy).toBeNull();
  expect(await place.ended(await place.desk.undo('b0001'))).toMatchObject({ outcome: 'done' });
});

test('jobs that need the vault wait for each other', async () => {
  await using place = await testDesk();
  const names = ['a.gguf', 'b.gguf', 'c.gguf', 'd.gguf'];
  for (const name of names) await putModel(place.at(name), `This is ${name}.`);
  const jobs = await Promise.all(names.map((name) => place.desk.remove(name)));
  const ended = await Promise.all(jobs.map((job) => place.ended(job)));
  expect(ended.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'done', 'done']);
  expect(new Set(ended.map(({ backup }) => backup)).size).toBe(4);
});

test('what is not there, and no plain name, is refused before there is a job', async () => {
  await using place = await testDesk();
  await putModel(place.at('tea.gguf'));
  for (const [name, code] of [
    ['milk.gguf', 'notFound'],
    ['../tea.gguf', 'usage'],
    ['-rf', 'usage'],
    ['a\0b', 'usage'],
  ] as const) {
    await expect(place.desk.activate(name)).rejects.toMatchObject({ code });
    await expect(place.desk.remove(name)).rejects.toMatchObject({ code });
  }
  await expect(place.desk.restore('b0009')).rejects.toMatchObject({ code: 'notFound' });
  expect(() => place.desk.job('x')).toThrow(expect.objectContaining({ code: 'notFound' }));
  expect((await place.desk.state()).jobs).toEqual([]);
});

test('the active model stays, in the words of the command line', async () => {
  await using place = await testDesk();
  await putModel(place.at('tea.gguf'));
  await mkdir(place.at('.aixcl'));
  await writeFile(place.at('.aixcl', 'state'), 'phase: ready\nactive: tea.gguf\n');
  const refused = {
    code: 'refused',
    hint: 'aixcl models activate ANOTHER, or aixcl models remove tea.gguf --force',
  };
  const detail = '"tea.gguf" stays: llama-server serves it';
  expect((await place.desk.removal('tea.gguf')).refused).toMatchObject({ ...refused, detail, status: 409 });
  await expect(place.desk.remove('tea.gguf')).rejects.toMatchObject({ ...refused, message: detail });
});

test('undo takes back what was asked for alone: of two who ask for the same, the second changes nothing', async () => {
  await using place = await testDesk();
  await putModel(place.at('tea.gguf'));
  await putModel(place.at('milk.gguf'), 'milk');
  await place.ended(await place.desk.remove('milk.gguf'));
  await place.ended(await place.desk.remove('tea.gguf'));
  const jobs = [await place.desk.undo('b0002'), await place.desk.undo('b0002')];
  const [first, second] = await Promise.all(jobs.map((job) => place.ended(job)));
  expect(first).toMatchObject({ outcome: 'done' });
  expect(second?.problem).toMatchObject({ status: 409, detail: expect.stringContaining('b0001') });
  expect(await readdir(place.home.models)).toEqual(expect.not.arrayContaining(['milk.gguf']));
  await expect(place.desk.undo('b0002')).rejects.toMatchObject({ code: 'refused' });
});

test('a model that is asked for while it is being saved stays', async () => {
  await using place = await testDesk();
  const sha256 = await putModel(place.at('tea.gguf'));
  const { surroundings } = place;
  const operations: string[] = [];
  // The page's own way, met where it has just begun to save.
  const job = await place.desk.remove('tea.gguf');
  for (;;) {
    const { entries } = await journalOf(surroundings).read();
    operations.push(...entries.flatMap((entry) => (entry.event === 'step' ? entry.kind : [])));
    if (operations.includes('save')) break;
  }
  await modelsDirectoryAt(place.home.models).writeRequest({
    id: 'r1',
    name: 'tea.gguf' as ModelName,
    by: 'cli',
    time: new Date().toISOString(),
  });
  expect((await place.ended(job)).problem).toMatchObject({
    status: 409,
    detail: '"tea.gguf" stays: llama-server serves it',
  });
  expect(await sha256Of(place.at('tea.gguf'))).toBe(sha256);
});
