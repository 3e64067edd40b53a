import { expect, test } from 'vitest';
import { composeLabels, labels } from '../labels.ts';
import { StuckContainer } from './stuck-container.ts';
import { TestEngine } from './test-engine.ts';
import {
  composeContainer,
  container,
  containerId,
  home,
  ourContainer,
  service,
  stack,
} from './test-stack.ts';
import { outcomes, start } from './test-start.ts';

const images = ['a:1', 'b:1'];
const world = { images, networks: ['aixcl_default'] };

test('an anonymous volume goes over into the new container; a place that the definition mounts does not', async () => {
  const own = { kind: 'bind', source: '/x', target: '/own', readOnly: false, createSource: false } as const;
  const definition = stack([service('a', { mounts: [own] })]);
  const old = composeContainer(definition, service('a'), {
    mounts: [
      { kind: 'volume', name: 'f00d'.repeat(16), target: '/data' },
      { kind: 'volume', name: 'beef'.repeat(16), target: '/own' },
      { kind: 'volume', name: 'taken-out-of-the-definition', target: '/named' },
      { kind: 'bind', source: '/y', target: '/else' },
    ],
  });
  const engine = new TestEngine({ ...world, containers: [old] });
  await start(engine, definition);
  const [spec] = engine.specs.values();
  expect(spec?.mounts.map((mount) => `${mount.kind} ${mount.target}`)).toEqual(['bind /own', 'volume /data']);
});

test('a container that is taken over is stopped for good, set aside and never removed', async () => {
  const definition = stack([service('a')]);
  const byHand = container('a', { id: containerId('a5559cc38d9d') });
  const engine = new TestEngine({ ...world, containers: [byHand] });
  await start(engine, definition, { wish: { adopt: true } });
  expect(engine.did.slice(0, 6)).toEqual([
    'create a5559cc38d9d_a',
    'stop a',
    'rename a to a.before-aixcl-a5559cc38d9d',
    'set the restart policy of a.before-aixcl-a5559cc38d9d to no',
    'rename a5559cc38d9d_a to a',
    'start a',
  ]);
});

test('a container that the engine is about to restart is stopped before it gets its name back', async () => {
  const definition = stack([service('a')]);
  const found = ourContainer(definition, service('a'), { name: 'a9f302029b81_a', state: 'restarting' });
  const engine = new TestEngine({ ...world, containers: [found] });
  await start(engine, definition);
  expect(engine.did).toEqual(['stop a9f302029b81_a', 'rename a9f302029b81_a to a', 'start a']);
});

test('where the new container does not start, the one that was to be taken over runs as before', async () => {
  const definition = stack([service('a')]);
  const byHand = container('a', { id: containerId('a5559cc38d9d') });
  const engine = new TestEngine({ ...world, containers: [byHand] });
  const startContainer = engine.startContainer;
  engine.startContainer = async (id) => {
    if (id !== byHand.id) throw new Error('no such device');
    await startContainer(id);
  };
  const { failures } = await start(engine, definition, { wish: { adopt: true } });
  expect(failures).toHaveLength(1);
  const left = await engine.listContainers();
  expect(left.map(({ id, name, state }) => `${id === byHand.id} ${name} ${state}`)).toEqual([
    'true a running',
  ]);
});

test('networks, volumes and containers carry the marks by which Compose and aixcl know them', async () => {
  const mounts = [{ kind: 'volume', source: 'data', target: '/d', readOnly: false, noCopy: false }] as const;
  const definition = stack([service('a', { mounts })], {
    volumes: [
      { key: 'data', name: 'data', external: false, driverOpts: new Map(), labels: new Map([['x', 'y']]) },
    ],
  });
  const engine = new TestEngine({ images });
  const given: Record<string, Readonly<Record<string, string>>> = {};
  engine.createNetwork = async ({ name }, own) => {
    given.network = own;
    return name;
  };
  const createVolume = engine.createVolume;
  engine.createVolume = async (made, own) => {
    given.volume = own;
    await createVolume(made, own);
  };
  await start(engine, definition);
  const ours = { [labels.home]: home, [composeLabels.project]: 'aixcl' };
  expect(given.network).toEqual({ ...ours, [composeLabels.network]: 'default' });
  expect(given.volume).toEqual({ ...ours, [composeLabels.volume]: 'data', x: 'y' });
  const spec = [...engine.specs.values()].at(-1);
  expect(spec?.labels).toMatchObject({ ...ours, [composeLabels.service]: 'a', [labels.image]: 'a:1' });
});

test('a service in the network of another is made once that one has a container', async () => {
  const engine = new TestEngine(world);
  const inside = service('a', {
    dependsOn: new Map([['b', { condition: 'service_started', required: true, restart: false }]]),
    networkMode: 'service:b',
    networks: new Map(),
  });
  await start(engine, stack([inside, service('b')]));
  expect(engine.did).toEqual(['create b', 'start b', 'create a', 'start a']);
  const [b, a] = [...engine.specs.entries()];
  expect(a?.[1].networkMode).toBe(`container:${b?.[0]}`);
});

test('a service that still loads at the time limit is up, and said to load', async () => {
  const engine = new TestEngine(world);
  engine.exec = async () => ({ exitCode: 0, output: 'aixcl: loading big.gguf\n' });
  const definition = stack([service('a', { healthcheck: { test: ['CMD', 'x'] } })]);
  const outcome = await start(engine, definition, { hands: { waitTimeoutMs: 150 } });
  expect(outcome).toMatchObject({ failures: [], loading: ['a'] });
});

test('a kept container is touched by nothing', async () => {
  const definition = stack([service('a')]);
  const engine = new TestEngine({ ...world, containers: [ourContainer(definition, service('a'))] });
  expect(outcomes(await start(engine, definition))).toEqual(['kept keep a']);
  expect(engine.did).toEqual([]);
});

test('one that the engine can not start any more is made anew, its anonymous volumes taken along', async () => {
  const definition = stack([service('a')]);
  const stuck = ourContainer(definition, service('a'), {
    state: 'exited',
    mounts: [{ kind: 'volume', name: 'f00d'.repeat(16), target: '/data' }],
  });
  const engine = new TestEngine({ ...world, containers: [stuck] });
  const startContainer = engine.startContainer;
  engine.startContainer = async (id) => {
    if (id === stuck.id) throw new StuckContainer('start it', undefined);
    await startContainer(id);
  };
  const notes: string[] = [];
  const { failures } = await start(engine, definition, {
    hands: { note: async (kind, target) => void notes.push(`${kind} ${target}`) },
  });
  expect(failures).toEqual([]);
  expect(notes).toEqual(['start a', 'replace a']);
  const beside = `${stuck.id.slice(0, 12)}_a`;
  expect(engine.did).toEqual([`create ${beside}`, 'remove a', `rename ${beside} to a`, 'start a']);
  expect([...engine.specs.values()][0]?.mounts).toMatchObject([{ kind: 'volume', target: '/data' }]);
});
