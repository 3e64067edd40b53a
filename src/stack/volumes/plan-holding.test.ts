import { expect, test } from 'vitest';
import { AixclError } from '../../errors.ts';
import { labels } from '../../labels.ts';
import type { ContainerSummary } from '../engine.ts';
import { TestEngine } from '../test-engine.ts';
import { planned } from '../test-plan.ts';
import {
  boundVolume,
  container,
  home,
  imageIdOf,
  ourContainer,
  service,
  stack,
  volume,
} from '../test-stack.ts';
import { outcomes, start } from '../test-start.ts';
import { guardName } from './guard.ts';

const uses = (source: string) =>
  service(source, { mounts: [{ kind: 'volume', source, target: '/d', readOnly: false, noCopy: true }] });
const cache = uses('cache');
const web = service('web');
const definition = stack([cache, web], { volumes: [volume('cache')] });
const running = [ourContainer(definition, cache), ourContainer(definition, web)];
const guard = (state: ContainerSummary['state'], own: Partial<ContainerSummary> = {}) =>
  container(guardName, {
    state,
    labels: { [labels.home]: home, [labels.guard]: 'cache' },
    mounts: [{ kind: 'volume', name: 'cache', target: '/held/cache', readOnly: true }],
    ...own,
  });
const kept = 'keep cache: it runs as defined\nkeep web: it runs as defined';

test('a volume inside the engine is held before the first service that uses it is started', async () => {
  const steps = (await planned(definition, {})).split('\n').map((line) => line.replace(/:.*/, ''));
  const order = ['create-volume cache', 'hold-volumes cache', 'create cache', 'start cache'];
  expect(steps.filter((step) => order.includes(step))).toEqual(order);
});

test('where the guard holds it, nothing has to be done; where it does not run, that is mended', async () => {
  const volumes = ['cache'];
  expect(await planned(definition, { volumes, containers: [...running, guard('running')] })).toBe(kept);
  expect(await planned(definition, { volumes, containers: [...running, guard('exited')] })).toBe(
    `hold-volumes cache: aixcl-guard is exited, and holds nothing while it does not run\n${kept}`,
  );
  expect(await planned(definition, { volumes, containers: running })).toMatch(/^hold-volumes cache: /);
  const killed = [guard('running', { name: 'aixcl-guard-1' }), guard('running')];
  expect(await planned(definition, { volumes, containers: [...running, ...killed] })).toMatch(
    /^hold-volumes cache: an interrupted change/,
  );
});

test('a stopped guard is started again by the start of a stack that has nothing to hold', async () => {
  const alone = stack([web]);
  const containers = [ourContainer(alone, web), guard('exited')];
  expect(await planned(alone, { containers })).toMatch(/^hold-volumes aixcl-guard: aixcl-guard is exited/);
});

test('a name for a folder of this machine is held by the folder, and what may be lost needs no holder', async () => {
  const bound = stack([cache, web], { volumes: [boundVolume('cache', `${home}/cache`)] });
  expect(await planned(bound)).not.toContain('hold-volumes');
  const disposable = stack([cache, web], {
    volumes: [volume('cache', { labels: new Map([[labels.holds, 'disposable']]) })],
  });
  expect(await planned(disposable)).not.toContain('hold-volumes');
  const seen = new Map([['cache', { modelsSeen: true, at: '2026-01-01T00:00:00Z' }]]);
  expect(await planned(disposable, { wish: { seen } })).toContain('hold-volumes cache');
});

test('the guard leaves an image that only it would keep once the service is replaced, and no other', async () => {
  const old = { image: 'cache:0', imageId: imageIdOf('cache:0') };
  const made = ourContainer(definition, cache, { ...old, labels: { [labels.hash]: 'of another image' } });
  const drifted = [made, ourContainer(definition, web)];
  const world = { volumes: ['cache'] };
  const lines = async (of: ContainerSummary) =>
    planned(definition, { ...world, containers: [...drifted, of] });
  expect(await lines(guard('running', old))).toMatch(
    /^hold-volumes cache: the guard is the last on an image/,
  );
  expect(await lines(guard('running', { imageId: imageIdOf('web:1') }))).not.toContain('hold-volumes');
  expect(await lines(guard('running', { imageId: imageIdOf('other:1') }))).not.toContain('hold-volumes');
});

test('a service is not started over a volume that can not be held; the others are', async () => {
  const engine = new TestEngine({ images: ['cache:1', 'web:1'], networks: ['aixcl_default'] });
  engine.exec = async () => {
    throw new AixclError('unexpected', 'no sleep here');
  };
  const outcome = await start(engine, definition);
  expect(outcomes(outcome, 'hold-volumes', 'start')).toEqual([
    'failed hold-volumes cache',
    'skipped start cache',
    'done start web',
  ]);
  expect(outcome.failures.map(String).join()).toContain('would be held by nothing');
  expect(engine.stand).toEqual(['web running']);
});

test('an unnamed volume where an Ollama keeps its models is held as soon as its container is there; no other is', async () => {
  const unnamed = 'a'.repeat(64);
  const having = (target: string) =>
    ourContainer(alone, web, { mounts: [{ kind: 'volume', name: unnamed, target }] });
  const alone = stack([web]);
  expect(await planned(alone, { containers: [having('/root/.ollama')] })).toMatch(
    new RegExp(`^hold-volumes ${unnamed}: its bytes lie inside the engine`),
  );
  expect(await planned(alone, { containers: [having('/var/cache')] })).not.toContain('hold-volumes');
  const foreign = container('theirs', {
    mounts: [{ kind: 'volume', name: unnamed, target: '/root/.ollama' }],
  });
  expect(await planned(alone, { containers: [ourContainer(alone, web), foreign] })).not.toContain(
    'hold-volumes',
  );
});
