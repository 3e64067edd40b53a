import { expect, test } from 'vitest';
import type { Snapshot } from './snapshot.ts';
import type { Subject } from './subject.ts';
import type { VaultContents } from './vault.ts';
import { chooseVersion, latestVersions, parseVersionId, versionName } from './version-id.ts';

const gguf = (name: string): Subject => ({ runtime: 'llama-server', name });
const folder = (name: string): Subject => ({ runtime: 'directory', name });

function version(subject: Subject, number: number): Snapshot {
  return {
    id: `${subject.name}@${versionName(number)}`,
    kind: 'version',
    number,
    subject,
    facts: {},
  } as unknown as Snapshot;
}

function choose(text: string, snapshots: readonly Snapshot[], broken: VaultContents['broken'] = []): string {
  return chooseVersion({ snapshots, broken }, text, (model, { name }) => name === model).id;
}

test.each([
  ['tea@v001', 'tea', 1],
  ['tea@v1000', 'tea', 1000],
  ['a@b@v012', 'a@b', 12],
  ['a@v001@v002', 'a@v001', 2],
  ['/x/y@z/tea@latest', '/x/y@z/tea', null],
])('%s is taken apart at its last @', (text, model, number) => {
  expect(parseVersionId(text)).toEqual({ model, number });
});

test.each([
  ...['v1', 'v', 'v001', '@v001', 'tea', 'tea@', 'tea@v', 'tea@v1', 'tea@v01', 'tea@v0011', 'tea@v000'],
  ...['tea@V001', 'tea@v001 ', 'tea@ v001', 'tea@v-01', 'tea@Latest', 'tea@v1e3', 'tea@v٠٠١'],
])('%j is no id of a version', (text) => {
  expect(parseVersionId(text)).toBeUndefined();
});

const some = [1, 2, 12].map((number) => version(gguf('tea.gguf'), number));

test('a version is found by its id alone, and latest is the highest that exists', () => {
  expect(choose('tea.gguf@v002', some)).toBe('tea.gguf@v002');
  expect(choose('tea.gguf@latest', some)).toBe('tea.gguf@v012');
  expect(choose('tea.gguf@latest', some.slice(0, 2))).toBe('tea.gguf@v002');
});

test.each([
  'v1',
  'v',
  'tea.gguf@v0011',
  'tea.gguf@v1',
  'tea.gguf@V001',
  'tea.gguf@v003',
  'tea.gguf',
  'tea@v001',
])('%s is no such version', (text) => {
  expect(() => choose(text, some)).toThrow(
    expect.objectContaining({ code: 'notFound', message: `no such version: ${JSON.stringify(text)}` }),
  );
});

test('who asks for one that was deleted is told the backup that it became last', () => {
  const deleted = (number: number, of: number) =>
    ({
      id: `b000${number}`,
      kind: 'backup',
      number,
      subject: gguf('tea.gguf'),
      facts: {
        deletedVersion: {
          id: `tea.gguf@v00${of}`,
          number: of,
          digest: `sha256:${'a'.repeat(64)}`,
          created: '2026-01-02T03:04:05.000Z',
        },
      },
    }) as unknown as Snapshot;
  const all = [...some, deleted(3, 3), deleted(2, 3), deleted(4, 4)];
  expect(() => choose('tea.gguf@v003', all)).toThrow(
    expect.objectContaining({
      code: 'notFound',
      hint: expect.stringMatching(/aixcl backups restore b0003$/),
    }),
  );
  expect(() => choose('tea.gguf@v005', all)).toThrow(
    expect.objectContaining({ hint: expect.stringContaining('tea.gguf has v001, v002, v012') }),
  );
});

test('who asks for one that is not there is told which are', () => {
  expect(() => choose('tea.gguf@v1', some)).toThrow(
    expect.objectContaining({ hint: expect.stringContaining('tea.gguf has v001, v002, v012') }),
  );
});

test('nobody says that a version is not there, or the latest, while what says so can not be read', () => {
  const record = [{ name: 'tea.gguf@v013', why: 'its manifest is damaged' }];
  for (const text of ['tea.gguf@v013', 'tea.gguf@latest']) {
    expect(() => choose(text, some, record)).toThrow(expect.objectContaining({ code: 'verification' }));
  }
  expect(choose('tea.gguf@v012', some, record)).toBe('tea.gguf@v012');
  const older = [{ name: 'tea.gguf@v005', why: 'its manifest is damaged' }];
  expect(choose('tea.gguf@latest', some, older)).toBe('tea.gguf@v012');
  const nameless = [{ name: 'sha256:77', why: 'not a snapshot' }];
  expect(() => choose('tea.gguf@v099', some, nameless)).toThrow(
    expect.objectContaining({ code: 'verification' }),
  );
});

test('a directory goes by its last name, unless something is called so, or several are', () => {
  const tea = version(folder('/a/tea'), 1);
  expect(choose('tea@v001', [tea])).toBe('/a/tea@v001');
  expect(choose('tea@v001', [tea, version(gguf('tea'), 1)])).toBe('tea@v001');
  expect(() => choose('tea@v001', [tea, version(folder('/b/tea'), 1)])).toThrow(
    expect.objectContaining({ code: 'refused', message: expect.stringContaining('/b/tea') }),
  );
  expect(() => choose('ea@v001', [tea])).toThrow(expect.objectContaining({ code: 'notFound' }));
});

test('each subject has a latest version of its own', () => {
  const all = [...some, version(folder('/a/tea'), 1), { ...version(gguf('x'), 9), kind: 'backup' as const }];
  expect([...latestVersions(all)]).toEqual(['tea.gguf@v012', '/a/tea@v001']);
});
