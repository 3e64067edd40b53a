import { expect, test } from 'vitest';
import { composeLabels, labels } from '../../labels.ts';
import type { ContainerSummary, VolumeSummary } from '../engine.ts';
import { asideName } from '../recreate/set-aside.ts';
import { boundVolume, container, containerId, home, image, service, stack } from '../test-stack.ts';
import { targetOf } from './clean.ts';
import type { AskedVolume, ObservedClean } from './observe-clean.ts';
import { planClean } from './plan-clean.ts';

const ollama = service('ollama', {
  mounts: [{ kind: 'volume', source: 'ollama', target: '/root/.ollama', readOnly: false, noCopy: true }],
});
const webui = service('open-webui', {
  dependsOn: new Map([['ollama', { condition: 'service_started', required: true, restart: false }]]),
});
const definition = stack([webui, ollama], { volumes: [boundVolume('ollama', `${home}/ollama`)] });
const ofProject = { [composeLabels.project]: 'aixcl', [labels.home]: home };

function ours(name: string, own: Partial<ContainerSummary> = {}): ContainerSummary {
  const by = { ...ofProject, [composeLabels.service]: name, ...own.labels };
  return container(name, { ...own, labels: by });
}

function volume(name: string, own: Partial<VolumeSummary> = {}): VolumeSummary {
  return { name, driver: 'local', options: {}, labels: {}, mountpoint: `/volumes/${name}`, ...own };
}

function mounting(...names: string[]): Pick<ContainerSummary, 'mounts'> {
  return { mounts: names.map((name) => ({ kind: 'volume', name, target: `/held/${name}` })) };
}

const nothing: ObservedClean = {
  definition,
  home,
  containers: [],
  networks: [],
  images: [],
  volumes: [],
  contents: new Map(),
  sizes: new Map(),
  layerModels: new Map(),
  asked: new Map(),
  guardImages: ['busybox'],
};

const looked: AskedVolume = {
  size: 7,
  files: 1,
  linked: true,
  leftOut: [],
  folder: `${home}/ollama`,
  held: null,
};

/** One `kind target: because` a line. */
function planned(seen: Partial<ObservedClean>, volumes: readonly string[] = []): string {
  return planClean({ ...nothing, ...seen }, { volumes })
    .map((step) => `${step.kind} ${targetOf(step)}: ${step.because}`)
    .join('\n');
}

function refusal(seen: Partial<ObservedClean>, volumes: readonly string[]): string {
  try {
    return planned(seen, volumes);
  } catch (error) {
    const { code, message } = error as { code?: string; message?: string };
    return `${code}: ${message}`;
  }
}

test('dependents go before what they depend on; what only looks like ours is not spoken of', () => {
  const foreign = [
    container('my_ollama'),
    container('ollama-test', { labels: { [composeLabels.project]: 'aixcl2' } }),
    container('other-home', { labels: { ...ofProject, [labels.home]: '/elsewhere' } }),
  ];
  const networks = [
    { id: 'n1', name: 'aixcl_default', labels: { [composeLabels.project]: 'aixcl' } },
    { id: 'n2', name: 'aixcl_other', labels: {} },
  ];
  const volumes = [volume('ollama-test'), volume('my_ollama', { labels: { [labels.home]: '/elsewhere' } })];
  const containers = [...foreign, ours('ollama'), ours('open-webui')];
  expect(planned({ containers, networks, volumes })).toBe(`\
remove-container open-webui: it is of the project aixcl
remove-container ollama: it is of the project aixcl
remove-network aixcl_default: it is of the project aixcl`);
});

test('volumes go where all that is in them can be made again, and stay for what they hold', () => {
  const own = { labels: { [labels.home]: home } };
  const all = ['cache', 'models', 'state', 'odd', 'used'].map((name) => volume(name, own));
  const there = volume('ollama');
  expect(
    planned({
      volumes: [...all, there],
      containers: [container('elsewhere', mounting('used'))],
      contents: new Map([
        ['cache', 'disposable'],
        ['models', 'models'],
        ['state', 'state'],
        ['used', 'disposable'],
        ['ollama', 'disposable'],
      ]),
    }),
  ).toBe(`\
remove-volume cache: what it holds can be made again
keep models: it holds models; to save it and take it away: aixcl stack clean --volumes models
keep odd: nobody knows what it holds, which counts as precious; to save it and take it away: aixcl stack clean --volumes odd
keep ollama: aixcl did not make it; to save it and take it away: aixcl stack clean --volumes ollama
keep state: it holds state, which is nowhere else; to save it and take it away: aixcl stack clean --volumes state
keep used: elsewhere, which stays, uses it`);
});

test('what a command left goes, what holds data stays: guards, adopted containers, models in a container itself', () => {
  const guard = container('aixcl-guard', {
    labels: { [labels.home]: home, [labels.guard]: 'ollama' },
    ...mounting('ollama'),
  });
  const helper = container('aixcl-helper-1', { labels: { [labels.home]: home, [labels.operation]: 'op' } });
  const adopted = container('ollama.before-aixcl-20261122');
  const id = containerId('abcdef012345');
  const aside = ours('ollama', { id, name: asideName('ollama', id) });
  const anonymous = 'a'.repeat(64);
  const layered = ours('open-webui', { mounts: [] });
  const containers = [guard, helper, adopted, aside, ours('ollama', mounting(anonymous)), layered];
  const volumes = [volume(anonymous)];
  const layerModels = new Map([[layered.id, '/srv/models']]);
  expect(planned({ containers, volumes, layerModels })).toBe(`\
hold-volumes ${anonymous}: they stay, and nothing else would keep a clean-up of the engine from them
remove-container ollama.aside-abcdef012345: an interrupted redeploy set it aside; the next start makes a new one by the definition
remove-container ollama: it is of the project aixcl
keep open-webui: models lie in the container itself, at /srv/models, and nothing else has them
keep ollama.before-aixcl-20261122: aixcl did not make it, and set it aside when it was adopted; when nothing in it is needed: docker rm ollama.before-aixcl-20261122
remove-helper aixcl-helper-1: a command that was killed left it
keep aixcl-guard: it holds ollama, ${anonymous}, so that no clean-up takes what is in there
keep ${anonymous}: ollama has it, without a name; nobody knows what it holds, which counts as precious; to save it and take it away: aixcl stack clean --volumes ${anonymous}`);
});

test('a network that someone else is in stays, and so does an image that someone was made from', () => {
  const labelled = { [composeLabels.project]: 'aixcl' };
  const user = container('elsewhere', { networks: ['aixcl_default'], imageId: 'sha256:used' });
  const images = [
    { ...image('', 'sha256:used'), tags: [], labels: { [labels.built]: 'debian' } },
    { ...image('', 'sha256:free'), tags: [], labels: labelled },
    { ...image('', 'sha256:foreign'), tags: [] },
  ];
  const networks = [{ id: 'n', name: 'aixcl_default', labels: labelled }];
  const containers = [user, ours('ollama', { networks: ['aixcl_default'] })];
  expect(planned({ containers, networks, images })).toBe(`\
remove-container ollama: it is of the project aixcl
keep aixcl_default: elsewhere, which stays, is in it
keep sha256:used: elsewhere, which stays, was made from it
remove-image sha256:free: it was built here, and has no name any more`);
});

test('a volume that is asked for is saved first, let go of, and goes last of what needs it', () => {
  const guard = container('aixcl-guard', {
    labels: { [labels.home]: home, [labels.guard]: 'ollama,more' },
    ...mounting('ollama', 'more'),
  });
  const containers = [guard, ours('ollama', mounting('ollama'))];
  const asked = new Map([['ollama', looked]]);
  expect(planned({ containers, volumes: [volume('ollama')], asked }, ['ollama'])).toBe(`\
save-volume ollama: asked for by its name
remove-container ollama: it is of the project aixcl
let-go aixcl-guard: it goes on holding more
remove-saved-volume ollama: all in it is saved by then`);
});

test.each<[string, string, Partial<ObservedClean>]>([
  ['one that is not there', 'notFound: there is no volume ollama on this engine; nothing was changed', {}],
  [
    'one of another home',
    'refused: the volume ollama is not of this stack, but of /elsewhere; nothing was changed',
    { volumes: [volume('ollama', { labels: { [labels.home]: '/elsewhere' } })] },
  ],
  [
    'one that a container which stays uses',
    'refused: the container by-hand, which stays, uses the volume ollama; nothing was changed',
    {
      volumes: [volume('ollama')],
      containers: [container('by-hand', { state: 'exited', ...mounting('ollama') })],
    },
  ],
  [
    'one whose folder a container which stays has mounted',
    'refused: the container by-hand, which stays, uses the volume ollama; nothing was changed',
    {
      volumes: [volume('ollama', { options: { o: 'bind', device: `${home}/ollama` } })],
      containers: [
        container('by-hand', { mounts: [{ kind: 'bind', source: `${home}/ollama`, target: '/x' }] }),
      ],
    },
  ],
  [
    'one with a socket in it',
    'refused: the volume ollama stays: "s" in it can\'t be saved; nothing was changed',
    {
      volumes: [volume('ollama')],
      asked: new Map([['ollama', { ...looked, held: '"s" in it can\'t be saved' }]]),
    },
  ],
])('of the volumes that are asked for, %s is refused, and nothing goes', (_, text, seen) => {
  const asked = seen.asked ?? new Map([['ollama', looked]]);
  expect(refusal({ ...seen, asked }, ['ollama'])).toBe(text);
});

test('a foreign volume is refused by whatever name', () => {
  expect(refusal({ volumes: [volume('ollama-test')] }, ['ollama-test'])).toBe(
    'refused: the volume ollama-test is not of this stack: no label of aixcl is on it, and neither a service nor a guard mounts it; nothing was changed',
  );
});

test('a volume that the definition named once can go while a guard of this home holds it, and is kept otherwise', () => {
  const guard = (by: string) =>
    container('aixcl-guard', { labels: { [labels.home]: by, [labels.guard]: 'old' }, ...mounting('old') });
  const seen = { volumes: [volume('old')], contents: new Map([['old', 'models' as const]]) };
  const asked = new Map([['old', looked]]);
  expect(planned({ ...seen, containers: [guard(home)], asked }, ['old'])).toBe(`\
save-volume old: asked for by its name
let-go aixcl-guard: it has nothing else to hold, and goes
remove-saved-volume old: all in it is saved by then`);
  expect(planned({ ...seen, containers: [guard(home)] })).toContain(
    'keep old: it holds models; to save it and take it away: aixcl stack clean --volumes old',
  );
  expect(refusal({ ...seen, containers: [guard('/elsewhere')], asked }, ['old'])).toContain(
    'not of this stack',
  );
});

const unnamed = 'b'.repeat(64);
const owner = ours('ollama', mounting(unnamed));
const left = {
  containers: [owner, ours('open-webui')],
  volumes: [volume(unnamed)],
  contents: new Map([[unnamed, 'models' as const]]),
};

test('a precious volume is held before the container goes that holds it, also one that nobody named', () => {
  const text = planned(left);
  expect(text).toMatch(new RegExp(`^hold-volumes ${unnamed}: `));
  expect(text).toContain(`keep ${unnamed}: ollama has it, without a name; it holds models; to save it`);
});

test('what a guard holds, a name for a folder, what can be made again and what is asked for is not held anew', () => {
  const guard = container('aixcl-guard', {
    labels: { [labels.home]: home, [labels.guard]: unnamed },
    ...mounting(unnamed),
  });
  expect(planned({ ...left, containers: [...left.containers, guard] })).not.toContain('hold-volumes');
  const stopped = { ...guard, state: 'exited' as const };
  expect(planned({ ...left, containers: [...left.containers, stopped] })).toContain('hold-volumes');
  const folder = volume(unnamed, { options: { o: 'bind', device: `${home}/ollama` } });
  expect(planned({ ...left, volumes: [folder] })).not.toContain('hold-volumes');
  expect(planned({ ...left, contents: new Map([[unnamed, 'disposable']]) })).not.toContain('hold-volumes');
  const asked = new Map([[unnamed, looked]]);
  expect(planned({ ...left, asked }, [unnamed])).not.toContain('hold-volumes');
  expect(planned({ ...left, containers: [] })).not.toContain('hold-volumes');
});

test('where no image is here to guard with, the container stays that holds it, and no other', () => {
  const text = planned({ ...left, guardImages: [] });
  expect(text).not.toContain('hold-volumes');
  expect(text).toContain(
    `keep ollama: nothing else holds ${unnamed}; no image is here that a guard could run on: docker pull busybox`,
  );
  expect(text).toContain('remove-container open-webui');
});

test('a guard holds on with what it is given while it lets go of what is asked for', () => {
  const guard = container('aixcl-guard', {
    labels: { [labels.home]: home, [labels.guard]: 'ollama' },
    ...mounting('ollama'),
  });
  const seen = {
    ...left,
    containers: [...left.containers, guard],
    volumes: [...left.volumes, volume('ollama')],
  };
  expect(planned({ ...seen, asked: new Map([['ollama', looked]]) }, ['ollama'])).toContain(
    `let-go aixcl-guard: it goes on holding ${unnamed}`,
  );
});

test('an image that goes is the last that a guard would be made on', () => {
  const images = [{ ...image('', 'sha256:free'), tags: [] }];
  const guardImages = ['sha256:free', 'busybox'];
  const [step] = planClean({ ...nothing, ...left, images, guardImages }, { volumes: [] });
  expect(step).toMatchObject({ kind: 'hold-volumes', images: ['busybox', 'sha256:free'] });
});
