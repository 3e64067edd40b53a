import { expect, test } from 'vitest';
import type { FolderExamined } from '../examined.ts';
import { planFix } from '../plan-fix.ts';
import { examined, home } from '../test-examined.ts';
import { checkDisks } from './disks.ts';
import { checkExamination } from './examination.ts';
import { checkHomes } from './homes.ts';
import { checkRights } from './rights.ts';

function folder(own: Partial<FolderExamined>): FolderExamined {
  const path = `${home}/models`;
  return {
    path,
    what: 'the models directory',
    state: 'usable',
    owner: 'root',
    user: 'x',
    neededBy: null,
    ...own,
  };
}

test('a folder that this user may not use is told with its owner and what gives it back', () => {
  expect(checkRights(examined({ folders: [folder({ state: 'closed' })] }))).toMatchObject([
    {
      check: 'folder-closed',
      level: 'problem',
      what: `the models directory ${home}/models belongs to root, and x may not read and write it`,
      command: `sudo chown -R x ${home}/models`,
    },
  ]);
});

test('a folder that is gone matters when a volume or container needs it; it is made by hand, as its disk may not be mounted', () => {
  const missing = { state: 'missing', owner: null } as const;
  expect(checkRights(examined({ folders: [folder(missing)] }))).toEqual([]);
  const needed = examined({ folders: [folder({ ...missing, neededBy: 'the volume ollama' })] });
  expect(checkRights(needed)).toMatchObject([
    { check: 'folder-missing', fixable: false, command: `mkdir -p ${home}/models` },
  ]);
  expect(planFix(needed)).toEqual([]);
});

test('something else where a folder should be is told', () => {
  expect(checkRights(examined({ folders: [folder({ state: 'no folder' })] }))).toMatchObject([
    { check: 'folder-blocked' },
  ]);
});

const gib = 2 ** 30;

test.each([
  [99 * gib, 1000 * gib, true],
  [101 * gib, 1000 * gib, false],
  [4.9 * gib, 20 * gib, true],
  [5.1 * gib, 20 * gib, false],
  [0, 0, true],
])('a disk with %d of %d bytes free is nearly full: %s', (free, total, full) => {
  const found = checkDisks(examined({ disks: [{ holds: ['models'], path: '/', free, total }] }));
  expect(found.map(({ check }) => check)).toEqual(full ? ['disk-nearly-full'] : []);
});

test('a vault on the disk of the models is worth a word, unless all of it lies elsewhere too, or there are no models', () => {
  const shared = examined({ vaultSharesDisk: true });
  expect(checkDisks(shared)).toMatchObject([{ level: 'note', command: 'aixcl vault sync FOLDER' }]);
  expect(checkDisks({ ...shared, vault: { ...shared.vault!, elsewhere: true } })).toEqual([]);
  expect(checkDisks({ ...shared, backups: { ...shared.backups!, models: 0 } })).toEqual([]);
  expect(checkDisks(examined({ vaultSharesDisk: null }))).toEqual([]);
});

test('another home on this engine is named, with how to use it', () => {
  const otherHomes = [{ home: '/root/my aixcl', seenAt: 'the container ollama' }];
  expect(checkHomes(examined({ otherHomes }))).toMatchObject([
    { check: 'other-home', level: 'problem', command: "AIXCL_HOME='/root/my aixcl' aixcl doctor" },
  ]);
});

test('parts that could not be looked at for one reason are one finding', () => {
  const unexamined = [
    { part: 'the volumes', what: 'no answer within 2.5 s', command: null },
    { part: 'the services', what: 'no answer within 2.5 s', command: null },
    { part: 'the vault', what: 'EIO', command: 'aixcl vault verify' },
  ];
  expect(checkExamination(examined({ unexamined }))).toMatchObject([
    { what: 'the volumes, the services could not be examined: no answer within 2.5 s', level: 'problem' },
    { what: 'the vault could not be examined: EIO', command: 'aixcl vault verify' },
  ]);
});

test('a definition that does not load is a finding of its own', () => {
  const definition = { what: 'compose.override.yaml:3:1: no such key', command: 'Mend it.' };
  expect(checkExamination(examined({ definition }))).toMatchObject([
    { check: 'definition-wrong', level: 'problem', command: 'Mend it.' },
  ]);
});
