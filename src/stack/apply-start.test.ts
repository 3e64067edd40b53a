import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { AixclError } from '../errors.ts';
import type { Dependency, ServiceDefinition } from './definition/types.ts';
import { inDependencyOrder } from './dependency-order.ts';
import { TestEngine } from './test-engine.ts';
import { composeContainer, service, stack } from './test-stack.ts';
import { gate, outcomes, start } from './test-start.ts';

const after = (
  name: string,
  condition: Dependency['condition'] = 'service_started',
  required = true,
): Partial<ServiceDefinition> => ({
  dependsOn: new Map([[name, { condition, required, restart: false }]]),
});
const images = ['a:1', 'b:1', 'c:1'];
const networks = ['aixcl_default'];
const world = { images, networks };

test('independent services start side by side', async () => {
  const engine = new TestEngine(world);
  const both = gate();
  const starting = new Set<string>();
  const plainStart = engine.startContainer;
  engine.startContainer = async (id) => {
    starting.add(id);
    if (starting.size === 2) both.open();
    await both.opened;
    await plainStart(id);
  };
  const { failures } = await start(engine, stack([service('a'), service('b')]));
  expect(failures).toEqual([]);
});

test('containers are made at once, and started behind those that they depend on', async () => {
  const engine = new TestEngine(world);
  const definition = stack([service('a', after('b')), service('b', after('c')), service('c')]);
  await start(engine, definition);
  expect(engine.did.slice(0, 3).sort()).toEqual(['create a', 'create b', 'create c']);
  expect(engine.did.slice(3)).toEqual(['start c', 'start b', 'start a']);
});

test('service_started does not wait for health, service_healthy does', async () => {
  const healthcheck = { test: ['CMD', 'healthy'] };
  for (const condition of ['service_started', 'service_healthy'] as const) {
    const engine = new TestEngine(world);
    const healthy = gate();
    engine.exec = async () => {
      await healthy.opened;
      engine.did.push('healthy');
      return { exitCode: 0, output: '' };
    };
    const done = start(engine, stack([service('a', after('b', condition)), service('b', { healthcheck })]));
    await delay(50);
    expect(engine.did.includes('start a')).toBe(condition === 'service_started');
    healthy.open();
    expect((await done).failures).toEqual([]);
    expect(engine.did).toContain('start a');
  }
});

test('service_completed_successfully waits for the end, with 0', async () => {
  const engine = new TestEngine(world);
  const look = engine.inspectContainer;
  let over = false;
  engine.inspectContainer = async (id) => {
    const found = await look(id);
    return found && found.name === 'b' && over ? { ...found, state: 'exited', exitCode: 0 } : found;
  };
  const done = start(
    engine,
    stack([service('a', after('b', 'service_completed_successfully')), service('b')]),
  );
  await delay(50);
  expect(engine.did).not.toContain('start a');
  over = true;
  expect((await done).failures).toEqual([]);
  expect(engine.did).toContain('start a');
});

test('a service that ends with a failure is not the completion that another waits for', async () => {
  const engine = new TestEngine(world);
  const look = engine.inspectContainer;
  engine.inspectContainer = async (id) => {
    const found = await look(id);
    return found?.name === 'b' && found.state === 'running'
      ? { ...found, state: 'exited', exitCode: 3 }
      : found;
  };
  const definition = stack([service('a', after('b', 'service_completed_successfully')), service('b')]);
  const { failed } = await start(engine, definition, { wish: { wait: false } });
  expect([...failed]).toEqual(['a']);
  expect(engine.did).not.toContain('start a');
});

function failing(name: string): TestEngine {
  const engine = new TestEngine(world);
  const plainStart = engine.startContainer;
  engine.startContainer = async (id) => {
    const found = await engine.inspectContainer(id);
    if (found?.name === name) throw new AixclError('unexpected', `${name} does not start`);
    await plainStart(id);
  };
  return engine;
}

test('the failure of one leaves the others up, and is told once', async () => {
  const engine = failing('a');
  const { failed, failures, steps, loading } = await start(engine, stack([service('a'), service('b')]));
  expect([...failed]).toEqual(['a']);
  expect(failures).toEqual([expect.objectContaining({ message: 'a: a does not start' })]);
  expect(engine.stand).toContain('b running');
  expect(outcomes({ steps, failed, failures, loading }, 'start', 'wait').sort()).toEqual([
    'done start b',
    'done wait b',
    'failed start a',
    'skipped wait a',
  ]);
});

test('what requires a service that failed is not started; what only likes it is', async () => {
  const required = failing('b');
  const outcome = await start(required, stack([service('a', after('b')), service('b'), service('c')]));
  expect([...outcome.failed].sort()).toEqual(['a', 'b']);
  expect(outcome.failures).toContainEqual(
    expect.objectContaining({
      code: 'unhealthy',
      message: 'a was not started: it depends on b, which did not come up',
    }),
  );
  expect(required.did).not.toContain('start a');
  expect(required.stand).toContain('c running');

  const liked = failing('b');
  await start(liked, stack([service('a', after('b', 'service_started', false)), service('b')]));
  expect(liked.stand).toContain('a running');
});

test('an image that can not be had fails its services alone, and one failure is told once', async () => {
  const engine = new TestEngine({ images: ['b:1'], networks });
  engine.pullImage = async function* () {
    yield { text: 'Pulling' };
    throw new AixclError('unexpected', 'no registry');
  };
  const definition = stack([service('a'), service('a2', { image: 'a:1' }), service('b')]);
  const { failed, failures } = await start(engine, definition);
  expect([...failed].sort()).toEqual(['a', 'a2']);
  expect(failures).toEqual([expect.objectContaining({ message: 'no registry' })]);
  expect(engine.stand).toEqual(['b running']);
});

test('an image is built once what it stands on is there, and not without', async () => {
  const build = { context: '/x', dockerfile: 'Dockerfile', args: new Map([['NODE_IMAGE', 'local/node']]) };
  const definition = stack([service('a', { build }), service('b', { image: 'local/node' })]);
  const engine = new TestEngine({ images: [], networks });
  const made = async (reference: string) => {
    await delay(20);
    engine.did.push(`made ${reference}`);
  };
  await start(engine, definition, { hands: { buildLocalImage: made } });
  expect(engine.did.slice(0, 2)).toEqual(['made local/node', 'build a:1']);

  const without = new TestEngine({ images: [], networks });
  const lost = new AixclError('refused', 'no packages');
  const { failures, failed } = await start(without, definition, {
    hands: { buildLocalImage: () => Promise.reject(lost) },
  });
  expect([failures, [...failed].sort()]).toEqual([[lost], ['a', 'b']]);
  expect(without.did.filter((each) => each.startsWith('build'))).toEqual([]);
});

test('an aborted start stops before the next step and throws the reason', async () => {
  const engine = new TestEngine(world);
  const interruption = new AbortController();
  const reason = new AixclError('interrupted', 'stopped by Ctrl-C');
  const plainCreate = engine.createContainer;
  engine.createContainer = async (name, spec) => {
    const id = await plainCreate(name, spec);
    interruption.abort(reason);
    return id;
  };
  const work = start(engine, stack([service('a')]), { hands: { signal: interruption.signal } });
  await expect(work).rejects.toBe(reason);
  expect(engine.did).toEqual(['create a']);
});

test('a start that was interrupted anywhere goes on when it is run again, and the third run changes nothing', async () => {
  const definition = stack([service('a', after('b')), service('b')]);
  for (let changes = 0; changes < 8; changes += 1) {
    const engine = new TestEngine({
      images: ['b:1'],
      containers: [composeContainer(definition, service('b'))],
    });
    const interruption = new AbortController();
    Object.defineProperty(engine.did, 'push', {
      value(...lines: string[]) {
        Array.prototype.push.apply(this, lines);
        if (this.length > changes) interruption.abort(new Error('killed'));
      },
    });
    await start(engine, definition, { hands: { signal: interruption.signal } }).catch(() => undefined);
    const { failures } = await start(engine, definition);
    expect(failures).toEqual([]);
    expect(engine.stand.sort()).toEqual(['a running', 'b running']);
    const before = engine.did.filter((line) => !line.startsWith('create network')).length;
    await start(engine, definition);
    expect(engine.did.filter((line) => !line.startsWith('create network')).length).toBe(before);
  }
});

test('what was built just now is no drift for the next start', async () => {
  const build = { context: '/x', dockerfile: 'Dockerfile', args: new Map() };
  const definition = stack([service('a', { build })]);
  const engine = new TestEngine({ images, networks });
  await start(engine, definition, { wish: { build: true } });
  const next = await start(engine, definition);
  expect(outcomes(next)).toEqual(['kept keep a']);
});

test('the services stand behind those that they depend on', () => {
  const some = [
    service('a', after('b')),
    service('b', after('c')),
    service('c'),
    service('d', after('gone')),
  ];
  expect(inDependencyOrder(some).map(({ name }) => name)).toEqual(['c', 'b', 'a', 'd']);
});

test('an engine that went away is the one failure, whatever it took along', async () => {
  const engine = new TestEngine(world);
  const gone = new AixclError('engineUnreachable', 'the engine is gone');
  const look = engine.inspectContainer;
  engine.inspectContainer = async (id) => {
    const found = await look(id);
    if (found?.state !== 'running') return found;
    if (found.name === 'a') return { ...found, state: 'exited', exitCode: 143 };
    throw gone;
  };
  const { failures, failed } = await start(engine, stack([service('a'), service('b')]));
  expect(failures).toEqual([gone]);
  expect([...failed].sort()).toEqual(['a', 'b']);
});

test('an engine that is being stopped stops containers before it falls silent', async () => {
  const engine = new TestEngine(world);
  const gone = new AixclError('engineUnreachable', 'the engine takes no new connection');
  const look = engine.inspectContainer;
  engine.inspectContainer = async (id) => {
    const found = await look(id);
    return found?.state === 'running' ? { ...found, state: 'exited', exitCode: 143 } : found;
  };
  expect((await start(engine, stack([service('a')]))).failures).toMatchObject([{ code: 'unhealthy' }]);
  engine.assertThere = async () => {
    throw gone;
  };
  expect((await start(engine, stack([service('b')]))).failures).toEqual([gone]);
});
