import { expect, test } from 'vitest';
import { composeLabels, labels } from '../../labels.ts';
import type { ContainerSummary, VolumeSummary } from '../engine.ts';
import { TestEngine } from '../test-engine.ts';
import { boundVolume, container, home, hostOf, service, stack, volume } from '../test-stack.ts';
import { guardName } from './guard.ts';
import { volumeStatuses } from './volume-status.ts';

const cache = service('cache', {
  mounts: [{ kind: 'volume', source: 'cache', target: '/data', readOnly: false, noCopy: true }],
});
const definition = stack([cache], { volumes: [volume('cache')] });

interface World {
  readonly volumes?: readonly (string | VolumeSummary)[];
  readonly of?: typeof definition;
  readonly paths?: Record<string, string>;
  readonly filled?: readonly string[];
}

async function statuses(
  containers: readonly ContainerSummary[],
  { volumes = ['cache'], of = definition, paths = {}, filled = [] }: World = {},
  options: { others?: boolean } = {},
) {
  const engine = new TestEngine({ volumes });
  const world = {
    host: hostOf({ paths, filled }),
    definition: of,
    containers,
    volumes: await engine.listVolumes(),
    seen: new Map(),
  };
  return volumeStatuses(world, [cache], options);
}

const mounting = (state: ContainerSummary['state'], own: Partial<ContainerSummary> = {}) =>
  container('any', { state, mounts: [{ kind: 'volume', name: 'cache', target: '/x' }], ...own });
const guard = (state: ContainerSummary['state']) =>
  mounting(state, { name: guardName, labels: { [labels.home]: home, [labels.guard]: 'cache' } });

test('a volume inside the engine is held by the guard, before any other container', async () => {
  const [status] = await statuses([mounting('running'), guard('running')]);
  expect(status).toMatchObject({ heldBy: 'guard aixcl-guard' });
});

test('without a guard that runs it is held by a running container, and by nothing else', async () => {
  const running = await statuses([mounting('running'), guard('exited')]);
  expect(running).toMatchObject([{ heldBy: 'running container any' }]);
  for (const state of ['exited', 'created'] as const) {
    expect(await statuses([mounting(state), guard(state)])).toMatchObject([{ heldBy: null, exists: true }]);
  }
  expect(await statuses([], { volumes: [] })).toMatchObject([{ heldBy: null, exists: false }]);
});

test('a volume that is a name for a folder is held by the folder, while that is there', async () => {
  const of = stack([cache], { volumes: [boundVolume('cache', '/home/x/cache')] });
  expect(await statuses([], { of, volumes: [] })).toMatchObject([{ heldBy: 'folder /home/x/cache' }]);
  const paths = { '/home/x/cache': 'missing' };
  expect(await statuses([], { of, volumes: [], paths })).toMatchObject([{ heldBy: null, lostFolder: null }]);
  const options = { type: 'none', o: 'bind', device: '/home/x/cache' };
  const named = { name: 'cache', driver: 'local', options, labels: {}, mountpoint: '' };
  const lost = await statuses([], { of, volumes: [named], paths });
  expect(lost).toMatchObject([{ heldBy: null, lostFolder: '/home/x/cache' }]);
});

test('a volume of the definition that turns out to lie inside the engine is not held by the folder', async () => {
  const of = stack([cache], { volumes: [boundVolume('cache', '/home/x/cache')] });
  expect(await statuses([], { of })).toMatchObject([{ heldBy: null, exists: true }]);
});

test('a volume that lies inside the engine hides the folder that should be behind it, where that holds files', async () => {
  const of = stack([cache], { volumes: [boundVolume('cache', '/home/x/cache')] });
  const filled = ['/home/x/cache'];
  expect(await statuses([], { of, filled })).toMatchObject([{ hides: '/home/x/cache' }]);
  expect(await statuses([], { of })).toMatchObject([{ hides: null }]);
  expect(await statuses([], { of, filled, volumes: [] })).toMatchObject([{ hides: null }]);
});

test('a volume that is declared external and is not there is gone; any other is not made yet', async () => {
  const of = stack([cache], { volumes: [{ ...volume('cache'), external: true }] });
  expect(await statuses([], { of, volumes: [] })).toMatchObject([{ gone: true, exists: false }]);
  expect(await statuses([], { of })).toMatchObject([{ gone: false }]);
  expect(await statuses([], { volumes: [] })).toMatchObject([{ gone: false, exists: false }]);
});

test('what another driver calls a device is no folder of this machine', async () => {
  const options = { o: 'bind', device: '/home/x/cache' };
  const elsewhere = { name: 'cache', driver: 'other', options, labels: {}, mountpoint: '' };
  expect(await statuses([], { volumes: [elsewhere] })).toMatchObject([{ heldBy: null }]);
});

test('volumes that containers of the stack mount, or the guard holds, are shown though no definition names them', async () => {
  const mounts = [{ kind: 'volume', name: 'before', target: '/root/.ollama' }];
  const old = container('old', {
    state: 'exited',
    mounts,
    labels: { [composeLabels.project]: definition.project, [composeLabels.service]: 'gone' },
  });
  const foreign = container('foreign', { mounts: [{ kind: 'volume', name: 'theirs', target: '/x' }] });
  const helper = container('helper', {
    mounts: [{ kind: 'volume', name: 'theirs', target: '/x' }],
    labels: { [labels.home]: home, [labels.operation]: 'look' },
  });
  const world = { volumes: ['cache', 'before', 'theirs'] };
  const shown = await statuses([old, foreign, helper], world, { others: true });
  expect(shown.map(({ name, holds, heldBy }) => [name, holds, heldBy])).toEqual([
    ['cache', 'unknown', null],
    ['before', 'models', null],
  ]);
  expect(await statuses([old], world)).toHaveLength(1);
});
