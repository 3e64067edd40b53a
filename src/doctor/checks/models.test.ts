import { expect, test } from 'vitest';
import type { BackupsExamined, StoreExamined, VaultExamined } from '../examined.ts';
import { planFix } from '../plan-fix.ts';
import { daysAgo, examined } from '../test-examined.ts';
import { checkBackups } from './backups.ts';
import { checkStores } from './stores.ts';
import { checkVault } from './vault.ts';

const healthy = examined();
const withStore = (own: Partial<StoreExamined>) => examined({ store: { ...healthy.store!, ...own } });
const withVault = (own: Partial<VaultExamined>) => examined({ vault: { ...healthy.vault!, ...own } });
const withBackups = (own: Partial<BackupsExamined>) => examined({ backups: { ...healthy.backups!, ...own } });

test('manifests that can’t be read and models whose blobs are gone are named, each with the reason', () => {
  const found = checkStores(
    withStore({
      unreadable: [{ model: 'tea:latest', why: 'it is empty' }],
      incomplete: [{ model: 'milk:latest', why: 'blobs/sha256-00 is missing' }],
    }),
  );
  expect(found).toMatchObject([
    { check: 'manifest-unreadable', what: expect.stringContaining('tea:latest (it is empty)') },
    { check: 'blob-missing', what: expect.stringContaining('milk:latest (blobs/sha256-00 is missing)') },
  ]);
  for (const { command, level } of found) {
    expect({ command, level }).toEqual({ command: 'aixcl models verify --repair', level: 'problem' });
  }
});

test('blobs that no manifest names are worth a word, and no command is given that deletes them', () => {
  expect(checkStores(withStore({ orphans: { files: 2, bytes: 4e9 } }))).toMatchObject([
    { check: 'blob-orphaned', level: 'note', command: null, what: expect.stringContaining('2 blobs') },
  ]);
  const unreadable = [{ model: 'tea:latest', why: 'it is empty' }];
  expect(checkStores(withStore({ orphans: { files: 2, bytes: 4e9 }, unreadable }))[1]?.why).toMatch(
    /mend that first/,
  );
  expect(checkStores(withStore({ orphans: null }))).toEqual([]);
});

test('unfinished downloads are told with size and age', () => {
  const partials = { files: 3, bytes: 4e9, newest: daysAgo(2) };
  expect(checkStores(withStore({ partials }))).toMatchObject([
    {
      check: 'download-partial',
      level: 'note',
      what: expect.stringMatching(/\(4 GB\), the newest 2 days old/),
    },
  ]);
});

test('an Ollama outside the engine is told of while it has models that this home does not have', () => {
  const store = { path: '/root/.ollama/models', models: 2, bytes: 1e9, here: 1 };
  const [finding] = checkStores(examined({ hostStores: [store] }));
  expect(finding).toMatchObject({
    check: 'store-on-host',
    level: 'note',
    what: expect.stringContaining('1 model (1 GB) that is not here'),
    command: 'aixcl doctor --move /root/.ollama/models',
  });
  expect(checkStores(examined({ hostStores: [{ ...store, here: 2 }] }))).toEqual([]);
  expect(checkStores(examined({ hostStores: [{ ...store, models: 0, here: 0 }] }))).toEqual([]);
  const closed = { ...store, models: null, bytes: null, here: null };
  expect(checkStores(examined({ hostStores: [closed] }))).toHaveLength(1);
});

test('records that can’t be read and damaged snapshots are problems', () => {
  const broken = [{ name: 'b0001', why: 'its manifest is missing' }];
  expect(checkVault(withVault({ broken }))).toMatchObject([
    { check: 'vault-record-broken', level: 'problem' },
  ]);
  const damaged = [{ id: 'b0002', name: 'tea:latest', why: 'a blob is wrong' }];
  expect(checkVault(withVault({ damaged, unverified: 1 }))).toMatchObject([
    { check: 'snapshot-damaged', level: 'problem', command: 'aixcl vault verify --repair' },
  ]);
});

test('snapshots of models that were damaged already are nothing to repair, and no problem of the vault', () => {
  const damagedWhenSaved = [
    { id: 'b0003', name: 'tea.gguf', why: 'its bytes are not those that were added' },
  ];
  expect(checkVault(withVault({ damagedWhenSaved, unverified: 1 }))).toMatchObject([
    {
      check: 'snapshot-of-damaged',
      level: 'note',
      what: '1 snapshot of the vault holds a model that was damaged when it was saved: b0003 (tea.gguf)',
      why: expect.stringContaining('aixcl backups delete ID'),
    },
  ]);
});

test('a vault that was not verified for 30 days, or of which a part never was, is worth a word', () => {
  expect(checkVault(withVault({ oldestVerification: daysAgo(29) }))).toEqual([]);
  expect(checkVault(withVault({ oldestVerification: daysAgo(31) }))).toMatchObject([
    { check: 'vault-unverified', what: 'the vault was last verified 31 days ago' },
  ]);
  expect(checkVault(withVault({ unverified: 1 }))).toMatchObject([
    { what: '1 of 2 snapshots was never hashed as a whole' },
  ]);
  const empty = { snapshots: 0, unverified: 0, oldestVerification: null };
  expect(checkVault(withVault(empty))).toEqual([]);
});

test('bytes that were set aside are told, and no command takes them away', () => {
  expect(checkVault(withVault({ quarantine: { files: 1, bytes: 9 } }))).toMatchObject([
    { check: 'bytes-set-aside', level: 'note', command: null, fixable: false },
  ]);
});

test('what a killed command was writing is cleared by --fix', () => {
  const world = withVault({ ingest: { files: 1, bytes: 9 } });
  expect(checkVault(world)).toMatchObject([{ check: 'ingest-leftover', level: 'note', fixable: true }]);
  expect(planFix(world)).toMatchObject([{ kind: 'clear-ingest' }]);
});

test('a model of no known address without a backup is a problem; one that was pulled is a note', () => {
  const found = checkBackups(withBackups({ uniqueWithout: ['own.gguf'], pulledWithout: ['tea:latest'] }));
  expect(found.map(({ check, level, command }) => [check, level, command])).toEqual([
    ['unique-without-backup', 'problem', 'aixcl backups create'],
    ['never-backed-up', 'note', 'aixcl backups create'],
  ]);
});

test('long lists of names are cut, and the rest is counted', () => {
  const [finding] = checkBackups(withBackups({ uniqueWithout: ['a', 'b', 'c', 'd', 'e'] }));
  expect(finding?.what).toBe(
    '5 models that no address is known for were never backed up: a, b, c and 2 more',
  );
});

test('a newest backup of 30 days is worth a word while there are models', () => {
  const old = { newest: daysAgo(30) };
  expect(checkBackups(withBackups(old))).toMatchObject([{ check: 'backups-old', level: 'note' }]);
  expect(checkBackups(withBackups({ newest: daysAgo(29) }))).toEqual([]);
  expect(checkBackups(withBackups({ ...old, models: 0 }))).toEqual([]);
  expect(checkBackups(withBackups({ newest: null }))).toEqual([]);
});
