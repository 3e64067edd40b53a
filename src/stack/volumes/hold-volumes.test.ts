import { expect, test } from 'vitest';
import { AixclError } from '../../errors.ts';
import { labels } from '../../labels.ts';
import { type EngineWorld, TestEngine } from '../test-engine.ts';
import { refusal } from '../test-plan.ts';
import { container, home } from '../test-stack.ts';
import { guardName } from './guard.ts';
import { holdVolumes } from './hold-volumes.ts';

const signal = new AbortController().signal;

function hold(engine: TestEngine, volumes: readonly string[], letGo: readonly string[] = []) {
  return holdVolumes(engine, {
    home,
    hold: volumes,
    letGo,
    images: ['absent:1', 'own:1', 'other:1'],
    signal,
  });
}

function engineWith(world: EngineWorld = {}): TestEngine {
  return new TestEngine({ images: ['own:1', 'other:1'], volumes: ['v', 'w'], ...world });
}

test('a guard is made of an image that is here, and seen running', async () => {
  const engine = engineWith();
  expect(await hold(engine, ['v'])).toEqual({ guard: guardName, volumes: ['v'], changed: true });
  expect(engine.did).toEqual(['create aixcl-guard', 'start aixcl-guard']);
  expect(await hold(engine, ['v'])).toEqual({ guard: guardName, volumes: ['v'], changed: false });
  expect(engine.did).toHaveLength(2);
});

test('a further volume: no guard goes before one that holds all runs', async () => {
  const engine = engineWith();
  await hold(engine, ['v']);
  const [old] = await engine.listContainers();
  engine.did.length = 0;
  expect(await hold(engine, ['w'])).toEqual({ guard: guardName, volumes: ['v', 'w'], changed: true });
  expect(engine.did.map((line) => line.replace(/guard-[0-9a-f]{12}/, 'guard-NEW'))).toEqual([
    'create aixcl-guard-NEW',
    'start aixcl-guard-NEW',
    'remove guard aixcl-guard',
    'rename aixcl-guard-NEW to aixcl-guard',
  ]);
  expect(await engine.inspectContainer(old!.id)).toBeUndefined();
});

test('an image that can not run it is passed over', async () => {
  const engine = engineWith();
  engine.exec = async (id) => {
    const found = await engine.inspectContainer(id);
    if (found?.image === 'other:1') return { exitCode: 0, output: '' };
    throw new AixclError('unexpected', 'the container restarts');
  };
  await hold(engine, ['v']);
  expect(engine.stand).toEqual(['aixcl-guard running']);
  expect((await engine.listContainers())[0]?.image).toBe('other:1');
});

test('where no image serves, nothing is left, and what it needs is said', async () => {
  const none = engineWith({ images: [] });
  expect(await refusal(hold(none, ['v']))).toMatch(
    /^notFound: v would be held by nothing.*none is here\ndocker pull/,
  );
  const deaf = engineWith();
  deaf.exec = async () => ({ exitCode: 127, output: '' });
  expect(await refusal(hold(deaf, ['v']))).toContain('it runs on none of the 2 that are here');
  expect(deaf.stand).toEqual([]);
});

test('a volume that is not there is not made by holding it', async () => {
  const engine = engineWith();
  expect(await refusal(hold(engine, ['olama']))).toMatch(/^notFound: there is no volume olama/);
  expect(engine.did).toEqual([]);
});

test('one that does not come back is replaced', async () => {
  const stopped = container(guardName, {
    state: 'exited',
    labels: { [labels.home]: home, [labels.guard]: 'v' },
    mounts: [{ kind: 'volume', name: 'v', target: '/held/v' }],
  });
  const engine = engineWith({ containers: [stopped] });
  const start = engine.startContainer;
  engine.startContainer = async (id) => {
    if (id === stopped.id) throw new AixclError('unexpected', 'its image is gone');
    await start(id);
  };
  expect(await hold(engine, [])).toEqual({ guard: guardName, volumes: ['v'], changed: true });
  expect(engine.stand).toEqual(['aixcl-guard running']);
  expect(await engine.inspectContainer(stopped.id)).toBeUndefined();
});

test('what is let go is held no longer', async () => {
  const engine = engineWith();
  await hold(engine, ['v', 'w']);
  expect(await hold(engine, [], ['v'])).toMatchObject({ volumes: ['w'] });
  expect(await hold(engine, [], ['w'])).toEqual({ guard: undefined, volumes: [], changed: true });
  expect(engine.stand).toEqual([]);
});
