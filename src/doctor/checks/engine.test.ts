import { expect, test } from 'vitest';
import { diagnose } from '../diagnose.ts';
import type { Examined } from '../examined.ts';
import { examined, otherVolume, ourVolume } from '../test-examined.ts';
import { checkEngine } from './engine.ts';
import { checkPrunes } from './prunes.ts';

const old: Examined['engine'] = {
  answers: true,
  address: 'unix:///var/run/docker.sock',
  version: '20.10.24',
  apiVersion: '1.41',
  dockerElsewhere: null,
};
const off: Examined['engine'] = {
  answers: false,
  what: "the Docker engine at unix:///x can't be reached: nobody listens there",
  command: 'sudo systemctl start docker',
  rights: false,
};

test('an engine that is off is the first finding, beside what could be examined', () => {
  const found = diagnose(examined({ engine: off, volumes: undefined, vaultSharesDisk: true, gpu: null }));
  expect(found.map(({ check, level }) => `${check} ${level}`)).toEqual([
    'engine-unreachable problem',
    'vault-on-models-disk note',
  ]);
  expect(found[0]?.command).toBe('sudo systemctl start docker');
});

test('an engine whose socket is closed to this user is a matter of rights', () => {
  expect(checkEngine(examined({ engine: { ...off, rights: true } }))).toMatchObject([
    { check: 'engine-rights' },
  ]);
});

test('volume prune that takes named volumes is a note while everything precious is out of its reach', () => {
  expect(checkPrunes(examined({ engine: old }))).toMatchObject([{ level: 'note', command: null }]);
  const guarded = [ourVolume({ heldBy: 'guard aixcl-guard' })];
  expect(checkPrunes(examined({ engine: old, volumes: guarded }))).toMatchObject([{ level: 'note' }]);
});

test('it is a danger once something precious is held by nothing, or by a container that may stop', () => {
  for (const heldBy of [null, 'running container ollama']) {
    expect(checkPrunes(examined({ engine: old, volumes: [ourVolume({ heldBy })] }))).toMatchObject([
      { level: 'danger', command: 'aixcl doctor --fix', what: expect.stringContaining('ollama may be next') },
    ]);
  }
  expect(checkPrunes(examined({ engine: old, otherVolumes: [otherVolume()] }))).toMatchObject([
    { level: 'danger', command: 'aixcl doctor --move services_ollama' },
  ]);
});

test('what is disposable, or was brought over, is no reason for alarm', () => {
  const volumes = [ourVolume({ holds: 'disposable', heldBy: null })];
  const otherVolumes = [otherVolume({ here: 3 })];
  expect(checkPrunes(examined({ engine: old, volumes, otherVolumes }))).toMatchObject([{ level: 'note' }]);
});

test('nothing is said to be safe while the volumes could not be looked at', () => {
  for (const unknown of [{ volumes: undefined }, { otherVolumes: undefined }]) {
    expect(checkPrunes(examined({ engine: old, ...unknown }))).toEqual([]);
  }
});

test('from API 1.42 on there is nothing to say', () => {
  for (const apiVersion of ['1.42', '1.51', '2.0']) {
    expect(checkPrunes(examined({ engine: { ...old, apiVersion }, otherVolumes: [otherVolume()] }))).toEqual(
      [],
    );
  }
});

test('a context by which plain docker speaks to another engine is named', () => {
  const elsewhere = { context: 'work', address: 'unix:///work.sock' };
  expect(checkEngine(examined({ engine: { ...old, dockerElsewhere: elsewhere } }))).toMatchObject([
    { check: 'docker-context', level: 'note', command: 'aixcl doctor --context work' },
  ]);
});
