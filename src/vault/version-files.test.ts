import { expect, test } from 'vitest';
import { deletedVersionFacts } from './deleted-version.ts';
import { type Digest, digestOf } from './digest.ts';
import type { Snapshot } from './snapshot.ts';
import {
  asItStood,
  deletedRecord,
  evolutionFiles,
  factsUnderAdapter,
  isOfVersion,
  laidOut,
  modelFiles,
} from './version-files.ts';

const digest: Digest = digestOf('0'.repeat(64));
const file = (path: string, size = 1) => ({ path, size, digest });
const paths = ({ files }: Pick<Snapshot, 'files'>) => files.map(({ path }) => path);

const ofFolder = {
  kind: 'version',
  id: '/a/tea@v001',
  number: 1,
  digest,
  created: new Date(0),
  subject: { runtime: 'directory', name: '/a/tea' },
  files: [
    file('adapter/adapter_config.json', 2),
    file('adapter/evolution_snapshots/own.json', 3),
    file('evolution_snapshots/adapter/x.json', 5),
  ],
  folders: ['adapter/empty'],
  facts: {
    ...factsUnderAdapter({
      links: [{ path: 'deep/link', target: '../x' }],
      modes: [
        ['', '755'],
        ['empty', '700'],
      ],
      times: [['', 12.5]],
    }),
    evolution: { files: 1 },
  },
} as unknown as Snapshot;

test('a directory gets back what it had, where it had it, and nothing of the run', () => {
  const stood = asItStood(ofFolder);
  expect(paths(stood)).toEqual(['adapter_config.json', 'evolution_snapshots/own.json']);
  expect(stood.size).toBe(5);
  expect(stood.folders).toEqual(['empty']);
  expect(stood.facts).toMatchObject({
    links: [{ path: 'deep/link', target: '../x' }],
    modes: [
      ['', '755'],
      ['empty', '700'],
    ],
    times: [['', 12.5]],
  });
});

test('a model gets back what it had; a folder of its own that is called as that of the run is its own', () => {
  const files = [file('model.gguf'), file('evolution_snapshots/x.json')];
  const model = { ...ofFolder, subject: { runtime: 'llama-server', name: 'tea' }, files } as Snapshot;
  expect(paths(asItStood(model))).toEqual(['model.gguf']);
  expect(paths({ files: evolutionFiles(model) })).toEqual(['x.json']);
  const without = { ...model, facts: { evolution: null } };
  expect(paths(asItStood(without))).toEqual(['model.gguf', 'evolution_snapshots/x.json']);
  expect(evolutionFiles(without)).toEqual([]);
});

test('a folder of its own gets all of a version, and its metadata beside what may be called so', () => {
  expect(paths(laidOut(ofFolder, file('')))).toEqual([...paths(ofFolder), 'metadata.json']);
  const taken = { ...ofFolder, files: [file('metadata.json')] };
  expect(paths(laidOut(taken, file('')))).toEqual(['metadata.json', 'version-metadata.json']);
});

test('a deleted version is one still, and its record is no file of the model', () => {
  const backup = {
    ...ofFolder,
    kind: 'backup',
    backupType: 'deleted_version',
    files: [...ofFolder.files, file(deletedRecord)],
    facts: { ...ofFolder.facts, ...deletedVersionFacts(ofFolder) },
  } as Snapshot;
  expect(isOfVersion(backup)).toBe(true);
  expect(asItStood(backup).files).toEqual(asItStood(ofFolder).files);
  expect(paths({ files: modelFiles(backup) })).not.toContain(deletedRecord);
  expect(paths(laidOut(backup, file('')))).toEqual([...paths(ofFolder), 'metadata.json']);
});

test("anybody's backup of that type stays a plain backup", () => {
  const plain = { ...ofFolder, kind: 'backup', backupType: 'deleted_version' } as Snapshot;
  expect(isOfVersion(plain)).toBe(false);
  expect(asItStood(plain)).toBe(plain);
});
