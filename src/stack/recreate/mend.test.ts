import { expect, test } from 'vitest';
import { AixclError } from '../../errors.ts';
import { composeLabels } from '../../labels.ts';
import type { ContainerSummary, MountSummary } from '../engine.ts';
import {
  composeContainer,
  container,
  containerId,
  ourContainer,
  replacing,
  service,
  stack,
  volume,
} from '../test-stack.ts';
import { matches } from './container-ref.ts';
import { isInterrupted, mend, theOne } from './mend.ts';
import { definedData } from './own-data.ts';
import { asideName, besideName, failedName } from './set-aside.ts';

const ollama = service('ollama', {
  mounts: [{ kind: 'volume', source: 'data', target: '/root/.ollama', readOnly: false, noCopy: true }],
});
const definition = stack([ollama], { volumes: [volume('data', { name: 'ollama' })] });
const identity = { project: 'aixcl', service: 'ollama', containerName: 'ollama' };
const data: MountSummary = { kind: 'volume', name: 'ollama', target: '/root/.ollama' };

/** A container that Compose made, with the service's volume; later ones are newer. */
let made = 0;
function composed(own: Partial<ContainerSummary>): ContainerSummary {
  made += 1;
  return composeContainer(definition, ollama, { mounts: [data], created: 1000 + made, ...own });
}

const old = composed({ id: containerId('a5559cc38d9d'), state: 'exited' });
const prefixed = (own: Partial<ContainerSummary> = {}) =>
  composed({ name: `${old.id.slice(0, 12)}_ollama`, state: 'created', ...own });

/** `stays NAME`, `goes NAME`, `redeploy OLD NEW`, a line each; or what it is refused with. `fitting`: names of those that fit. */
function mended(containers: readonly ContainerSummary[], ...fitting: readonly string[]): string[] {
  const found = matches(identity, containers);
  const fits = ({ container: { name } }: { readonly container: ContainerSummary }) => fitting.includes(name);
  try {
    const { stays, goes, redeploy } = mend(identity, found, fits, definedData(definition, ollama));
    return [
      ...(stays ? [`stays ${stays.container.name}`] : []),
      ...goes.map(({ match }) => `goes ${match.container.name}`),
      ...(redeploy
        ? [`redeploy ${redeploy.old.container.name} ${redeploy.replacement?.container.name ?? 'gone'}`]
        : []),
    ];
  } catch (error) {
    if (error instanceof AixclError) return [`${error.code}: ${error.message}`];
    throw error;
  }
}

test('no container, and one alone, whatever its name', () => {
  expect(mended([])).toEqual([]);
  expect(mended([old])).toEqual(['stays ollama']);
  expect(mended([prefixed()])).toEqual(['stays a5559cc38d9d_ollama']);
  expect(mended([composed({ name: 'b2f302029b81_a5559cc38d9d_ollama' })])).toEqual([
    'stays b2f302029b81_a5559cc38d9d_ollama',
  ]);
  expect(mended([container('a5559cc38d9d_ollama')])).toEqual(['stays a5559cc38d9d_ollama']);
});

test.each([
  ["Compose 2's, before the old one was stopped", { ...old, state: 'running' as const }, prefixed()],
  ["Compose 2's, after that", old, prefixed()],
  ['one of a prefix that is nobody’s id', old, prefixed({ name: 'ffff00000000_ollama' })],
  ['one that is prefixed twice', old, prefixed({ name: `b2f302029b81_${prefixed().name}` })],
])(
  'a replacement that never ran goes, and the old container is the way back: %s',
  (_of, one, replacement) => {
    const gone = `goes ${replacement.name}`;
    expect(mended([replacement, one])).toEqual(['stays ollama', gone]);
    expect(mended([one, replacement])).toEqual(['stays ollama', gone]);
  },
);

test('of three the one that ran stays', () => {
  const twice = prefixed({ name: `b2f302029b81_${prefixed().name}` });
  expect(mended([twice, prefixed(), old])).toEqual([
    'stays ollama',
    `goes ${twice.name}`,
    'goes a5559cc38d9d_ollama',
  ]);
});

test('the old one that Compose 1 renamed stays while the new one never ran, and goes once that one did', () => {
  const renamed = { ...old, name: 'a5559cc38d9d_ollama' };
  const fresh = composed({ id: containerId('c1'), state: 'created' });
  expect(mended([fresh, renamed])).toEqual(['stays a5559cc38d9d_ollama', 'goes ollama']);
  expect(mended([{ ...fresh, state: 'running' }, renamed])).toEqual([
    'stays ollama',
    'goes a5559cc38d9d_ollama',
  ]);
  expect(mended([{ ...fresh, state: 'exited' }, renamed])).toEqual([
    'stays ollama',
    'goes a5559cc38d9d_ollama',
  ]);
});

test.each(['running', 'restarting', 'paused'] as const)(
  'one that is %s stays, also where another fits the definition',
  (state) => {
    const runs = prefixed({ state });
    expect(mended([old, runs])).toEqual(['stays a5559cc38d9d_ollama', 'goes ollama']);
    expect(mended([old, runs], 'ollama')).toEqual(['stays a5559cc38d9d_ollama', 'goes ollama']);
    const beside = prefixed({ state: 'exited' });
    expect(mended([{ ...old, state }, beside], beside.name)).toEqual(['stays ollama', `goes ${beside.name}`]);
  },
);

test('where none runs the one that fits stays, though it never ran; else the newest of those that did', () => {
  const ran = prefixed({ state: 'exited' });
  expect(mended([old, ran])).toEqual(['stays a5559cc38d9d_ollama', 'goes ollama']);
  expect(mended([old, ran], 'ollama')).toEqual(['stays ollama', 'goes a5559cc38d9d_ollama']);
  expect(mended([old, prefixed()], 'a5559cc38d9d_ollama')).toEqual([
    'stays a5559cc38d9d_ollama',
    'goes ollama',
  ]);
});

test('two that run are refused, and each is shown with its image, state and mounts', () => {
  const two = [composed({ id: containerId('b1'), status: 'Up 2 hours' }), prefixed({ state: 'running' })];
  expect(mended(two, 'ollama')).toEqual([
    'refused: 2 containers could be ollama: ollama, a5559cc38d9d_ollama; aixcl does not choose between them; ollama and a5559cc38d9d_ollama run',
  ]);
  expect(() => mend(identity, matches(identity, two), () => true)).toThrow(
    expect.objectContaining({
      evidence: [
        'b10000000000  ollama  ollama:1  Up 2 hours  ollama at /root/.ollama',
        expect.stringContaining('a5559cc38d9d_ollama  ollama:1'),
      ],
    }),
  );
});

test.each([
  ['a volume', [{ kind: 'volume', name: 'precious', target: '/root/.ollama' }], 'volume precious'],
  [
    'an anonymous volume',
    [data, { kind: 'volume', name: 'e'.repeat(64), target: '/x' }],
    `volume ${'e'.repeat(64)}`,
  ],
  ['a folder', [{ kind: 'bind', source: '/srv/models', target: '/root/.ollama' }], 'folder /srv/models'],
])('one that alone holds %s is not removed', (_what, mounts, held) => {
  const running = composed({ id: containerId('b1') });
  expect(mended([running, composed({ name: 'ffff00000000_ollama', state: 'exited', mounts })])).toEqual([
    `refused: 2 containers could be ollama: ollama, ffff00000000_ollama; aixcl does not choose between them; ffff00000000_ollama alone holds the ${held}`,
  ]);
});

test('a volume counts also where its container never ran, unless it was made for that container', () => {
  const running = composed({ id: containerId('b1') });
  const precious: MountSummary = { kind: 'volume', name: 'precious', target: '/root/.ollama' };
  expect(mended([running, prefixed({ name: 'ffff00000000_ollama', mounts: [precious] })])[0]).toContain(
    'ffff00000000_ollama alone holds the volume precious',
  );
  const anonymous: MountSummary = { kind: 'volume', name: 'e'.repeat(64), target: '/x' };
  expect(mended([old, prefixed({ mounts: [data, anonymous] })])).toEqual([
    'stays ollama',
    'goes a5559cc38d9d_ollama',
  ]);
});

test('what the one that stays mounts, or the definition, is held; so is what could not be written into', () => {
  const anonymous: MountSummary = { kind: 'volume', name: 'e'.repeat(64), target: '/x' };
  const script: MountSummary = { kind: 'bind', source: '/old/entry.sh', target: '/e', readOnly: true };
  const running = prefixed({ state: 'running', mounts: [{ ...data, name: 'new' }, anonymous] });
  const stopped = { ...old, mounts: [data, anonymous, script] };
  expect(mended([running, stopped])).toEqual(['stays a5559cc38d9d_ollama', 'goes ollama']);
});

test('models may lie in a container itself that has nothing mounted at their path', () => {
  const running = prefixed({ state: 'running' });
  expect(mended([running, { ...old, mounts: [] }])[0]).toContain('/root/.ollama in the container itself');
  expect(mended([old, prefixed({ mounts: [] })])).toEqual(['stays ollama', 'goes a5559cc38d9d_ollama']);

  const bare = service('ollama');
  const noMounts = [
    { ...running, mounts: [] },
    { ...old, mounts: [] },
  ];
  expect(() =>
    mend(identity, matches(identity, noMounts), () => false, definedData(stack([bare]), bare)),
  ).toThrow('ollama alone holds what lies at /root/.ollama/models in the container itself');
});

test('one that no recreate names so is neither chosen nor removed', () => {
  const hand = composed({ name: 'aixcl-ollama-2', state: 'exited' });
  for (const others of [[old], [{ ...old, state: 'running' as const }], [old, prefixed()]]) {
    expect(mended([hand, ...others])[0]).toContain('aixcl-ollama-2 is from no interrupted recreate');
  }
});

test('what has no labels of ours is never removed', () => {
  const hand = container('a9f302029b81_ollama', { state: 'exited' });
  const other = container('c9f302029b81_a9f302029b81_ollama', { state: 'created' });
  expect(mended([hand, other])[0]).toMatch(/^refused/);
  expect(mended([old, hand])).toEqual(['stays ollama']);
});

const ours = ourContainer(definition, ollama, { id: containerId('0a'), mounts: [data] });
const aside = { ...ours, name: asideName('ollama', ours.id), state: 'exited' as const };
const next = ourContainer(definition, ollama, {
  ...replacing(ours),
  id: containerId('0b'),
  mounts: [data],
  name: 'ollama',
  state: 'running',
});
const beside = besideName('ollama', ours.id);

test('a redeploy of ours is a pair from when the old one was set aside, and no choice is made between them', () => {
  expect(mended([aside, next])).toEqual([`redeploy ${aside.name} ollama`]);
  expect(mended([{ ...aside, state: 'running' }, next])).toEqual([`redeploy ${aside.name} ollama`]);
  expect(mended([aside, { ...next, name: beside, state: 'exited' }])).toEqual([
    `redeploy ${aside.name} ${beside}`,
  ]);
  expect(mended([aside])).toEqual([`redeploy ${aside.name} gone`]);
});

test('a replacement of ours that never ran goes, whatever it mounts', () => {
  const precious: MountSummary = { kind: 'volume', name: 'new', target: '/root/.ollama' };
  const unused = { ...next, name: beside, state: 'created' as const, mounts: [precious] };
  expect(mended([unused, ours])).toEqual(['stays ollama', `goes ${beside}`]);
  expect(mended([unused, aside])).toEqual([`goes ${beside}`, `redeploy ${aside.name} gone`]);
  const second = {
    ...unused,
    id: containerId('0c'),
    labels: { ...next.labels, ...replacing(unused).labels },
  };
  expect(
    mended([
      { ...second, name: 'aaaaaaaaaaaa_ollama' },
      { ...unused, name: 'ollama' },
    ]),
  ).toEqual(['stays ollama', 'goes aaaaaaaaaaaa_ollama']);
});

test("what Compose made in the place of the one set aside is the redeploy's replacement; what it only prepared goes", () => {
  const label = { [composeLabels.replace]: aside.name };
  const running = composed({ id: containerId('c1'), labels: label });
  expect(mended([aside, running])).toEqual([`redeploy ${aside.name} ollama`]);
  const prepared = composed({ name: `${aside.id.slice(0, 12)}_ollama`, state: 'created', labels: label });
  expect(mended([aside, running, prepared])).toEqual([
    `goes ${prepared.name}`,
    `redeploy ${aside.name} ollama`,
  ]);
});

test('one that was given up goes, unless the one that it was to replace still waits for its name', () => {
  const failed = { ...next, name: failedName('ollama', next.id), state: 'exited' as const };
  expect(mended([ours, failed])).toEqual(['stays ollama', `goes ${failed.name}`]);
  expect(mended([failed])).toEqual([`goes ${failed.name}`]);
  const neverStarted = { ...failed, state: 'created' as const };
  const waiting = { ...ours, state: 'created' as const };
  expect(mended([waiting, neverStarted])).toEqual(['stays ollama', `goes ${failed.name}`]);
  expect(theOne(identity, [neverStarted, waiting])?.container.name).toBe('ollama');
  expect(mended([aside, failed])).toEqual([`redeploy ${aside.name} ${failed.name}`]);
});

test('to look at, or to stop, the one is found that mending would keep', () => {
  const one = (...containers: ContainerSummary[]) => theOne(identity, containers)?.container.name;
  expect(one()).toBeUndefined();
  expect(one(prefixed(), old)).toBe('ollama');
  expect(one(old, prefixed({ state: 'running' }))).toBe('a5559cc38d9d_ollama');
  expect(one(aside, next)).toBe('ollama');
  expect(one(aside, { ...next, name: beside, state: 'created' })).toBe(aside.name);
  expect(one({ ...next, state: 'exited' }, aside)).toBe('ollama');
  const elsewhere: MountSummary = { kind: 'bind', source: '/srv', target: '/root/.ollama' };
  expect(one({ ...old, mounts: [elsewhere] }, prefixed({ state: 'running' }))).toBe('a5559cc38d9d_ollama');
});

test('where none can be chosen all are named', () => {
  const two = ['a9f302029b81_ollama', 'b9f302029b81_ollama'].map((name) => container(name));
  expect(() => theOne(identity, two)).toThrow(
    expect.objectContaining({
      code: 'refused',
      message:
        '2 containers could be ollama: a9f302029b81_ollama, b9f302029b81_ollama; aixcl does not choose between them; a9f302029b81_ollama and b9f302029b81_ollama run',
    }),
  );
});

test.each([
  ['one under its name', [old], false],
  ['one under a prefix', [prefixed()], true],
  ['one set aside', [aside], true],
  ['two', [old, prefixed()], true],
  ['one that a hand renamed', [composed({ name: 'renamed' })], false],
  ['one without labels', [container('a9f302029b81_ollama')], false],
])('%s: interrupted %3$s', (_what, containers, is) => {
  expect(isInterrupted(identity, matches(identity, containers))).toBe(is);
});
