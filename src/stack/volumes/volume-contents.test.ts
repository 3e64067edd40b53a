import { expect, test } from 'vitest';
import { labels } from '../../labels.ts';
import { container, service, stack, volume } from '../test-stack.ts';
import { contentsOf, contentsOfVolume, type SeenVolumes } from './volume-contents.ts';

const looked = (modelsSeen: boolean): SeenVolumes =>
  new Map([['v', { modelsSeen, at: '2026-01-01T00:00:00Z' }]]);
const said = (holds: string) => volume('v', { labels: new Map([[labels.holds, holds]]) });

test('models that were seen, or a mount where Ollama keeps them, count more than a label', () => {
  const evidence = { labels: ['disposable'], atModelsPath: false, modelsSeen: undefined };
  expect(contentsOf(evidence)).toBe('disposable');
  expect(contentsOf({ ...evidence, modelsSeen: true })).toBe('models');
  expect(contentsOf({ ...evidence, atModelsPath: true })).toBe('models');
});

test('the label of the definition goes before that of the volume; what says nothing known counts for nothing', () => {
  const found = {
    name: 'v',
    driver: 'local',
    options: {},
    labels: { [labels.holds]: 'state' },
    mountpoint: '',
  };
  const around = { containers: [], seen: new Map() };
  const of = (holds: string) => stack([], { volumes: [said(holds)] });
  expect(contentsOfVolume('v', found, { ...around, definition: of('disposable') })).toBe('disposable');
  expect(contentsOfVolume('v', found, { ...around, definition: of('rubbish') })).toBe('state');
  expect(contentsOfVolume('v', undefined, { ...around, definition: of('rubbish') })).toBe('unknown');
  expect(contentsOfVolume('v', found, { ...around, definition: stack([]) })).toBe('state');
});

test('what was seen is known; not having seen models makes nothing disposable', () => {
  const around = { containers: [], definition: stack([]) };
  expect(contentsOfVolume('v', undefined, { ...around, seen: looked(true) })).toBe('models');
  expect(contentsOfVolume('v', undefined, { ...around, seen: looked(false) })).toBe('unknown');
});

test.each([
  '/root/.ollama',
  '/root/.ollama/models',
  '/home/x/.ollama/',
  '/usr/share/ollama/.ollama/models/blobs',
])('a volume that any container, running or not, mounts at %s holds models', (target) => {
  const user = container('any', { state: 'exited', mounts: [{ kind: 'volume', name: 'v', target }] });
  const around = {
    containers: [user],
    definition: stack([], { volumes: [said('disposable')] }),
    seen: new Map(),
  };
  expect(contentsOfVolume('v', undefined, around)).toBe('models');
  expect(contentsOfVolume('w', undefined, around)).toBe('unknown');
});

test.each([
  ['/srv/models', '/srv/models', 'models'],
  ['/srv/models', '/srv', 'models'],
  ['/srv/models', '/srv/models/blobs', 'models'],
  ['/srv/models', '/srv/other', 'unknown'],
  [undefined, '/root', 'models'],
  [undefined, '/data', 'unknown'],
])('OLLAMA_MODELS %s and a volume at %s: %s', (models, target, holds) => {
  const own = service('any', {
    environment: new Map(models ? [['OLLAMA_MODELS', models]] : []),
    mounts: [{ kind: 'volume', source: 'v', target, readOnly: false, noCopy: true }],
  });
  const definition = stack([own], { volumes: [volume('v')] });
  expect(contentsOfVolume('v', undefined, { definition, containers: [], seen: new Map() })).toBe(holds);
});
