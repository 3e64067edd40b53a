import { expect, test } from 'vitest';
import { planFix } from '../plan-fix.ts';
import { examined, otherVolume, ourVolume } from '../test-examined.ts';
import { checkVolumes } from './volumes.ts';

const held = { heldBy: 'folder /home/x/aixcl/ollama' };

test.each([
  ['models', 'models'],
  ['state', 'state'],
  ['unknown', 'nobody knows what'],
] as const)('a volume with %s that nothing holds is a danger that --fix ends', (holds, words) => {
  const world = examined({ volumes: [ourVolume({ holds, heldBy: null })] });
  expect(checkVolumes(world)).toMatchObject([
    { check: 'volume-unheld', level: 'danger', fixable: true, what: expect.stringContaining(`(${words})`) },
  ]);
  expect(planFix(world)).toMatchObject([
    { kind: 'hold-volume', volume: 'ollama', because: 'nothing holds it' },
  ]);
});

test('one that was there before and is gone is a danger that nothing but a hand ends', () => {
  const world = examined({ volumes: [ourVolume({ exists: false, gone: true, heldBy: null })] });
  expect(checkVolumes(world)).toMatchObject([
    { check: 'volume-gone', level: 'danger', command: 'docker volume create ollama && aixcl stack start' },
  ]);
  expect(planFix(world)).toEqual([]);
});

test('one that hides a folder of the home is a problem, and the command takes it away', () => {
  const world = examined({ volumes: [ourVolume({ heldBy: 'guard aixcl-guard', hides: '/home/x/ollama' })] });
  expect(checkVolumes(world)).toMatchObject([
    { check: 'volume-hides-folder', level: 'problem', command: 'aixcl stack clean --volumes ollama' },
  ]);
  expect(planFix(world)).toEqual([]);
});

test('one that only a running container holds is a problem that --fix ends', () => {
  const world = examined({ volumes: [ourVolume({ heldBy: 'running container ollama' })] });
  expect(checkVolumes(world)).toMatchObject([{ check: 'volume-half-held', level: 'problem', fixable: true }]);
  expect(planFix(world)).toHaveLength(1);
});

test.each([
  ['held by a folder', held],
  ['held by the guard', { heldBy: 'guard aixcl-guard' }],
  ['disposable', { holds: 'disposable', heldBy: null }],
  ['not made yet', { exists: false, heldBy: null }],
  ['a name for a folder that is gone, which is found as such', { lostFolder: '/x', heldBy: null }],
] as const)('one that is %s is no finding', (_, own) => {
  const world = examined({ volumes: [ourVolume(own)] });
  expect(checkVolumes(world)).toEqual([]);
  expect(planFix(world)).toEqual([]);
});

test('models in a volume of another name are told with their size and how to bring them over', () => {
  expect(checkVolumes(examined({ otherVolumes: [otherVolume()] }))).toEqual([
    {
      check: 'volume-with-models',
      level: 'danger',
      what: 'the volume services_ollama holds 3 models (2 GB) that this home does not have',
      why: 'No service here uses what is in it, nothing holds it, and docker system prune --volumes or docker volume prune deletes it. Until then, aixcl doctor --fix has the guard hold it.',
      command: 'aixcl doctor --move services_ollama',
      fixable: true,
    },
  ]);
});

test('such a volume is a problem while its container runs, and a note where no clean-up reaches it', () => {
  const levels = ['running container theirs', 'guard aixcl-guard', 'folder /data/ollama'].map(
    (heldBy) => checkVolumes(examined({ otherVolumes: [otherVolume({ heldBy })] }))[0]?.level,
  );
  expect(levels).toEqual(['problem', 'note', 'note']);
});

test('one whose size and models are not known is told all the same', () => {
  const otherVolumes = [otherVolume({ bytes: null, models: null, here: null })];
  expect(checkVolumes(examined({ otherVolumes }))).toMatchObject([
    { level: 'danger', what: 'the volume services_ollama holds models that this home does not have' },
  ]);
});

test('once all of its models are here it may go', () => {
  expect(checkVolumes(examined({ otherVolumes: [otherVolume({ here: 3 })] }))).toMatchObject([
    { check: 'volume-brought-over', level: 'note', command: 'docker volume rm services_ollama' },
  ]);
  const closed = otherVolume({ models: null, bytes: null, here: null, broughtOver: true, onlyThere: null });
  expect(checkVolumes(examined({ otherVolumes: [closed] }))).toMatchObject([
    { check: 'volume-brought-over', command: null },
  ]);
  expect(checkVolumes(examined({ otherVolumes: [otherVolume({ here: 2 })] }))).toMatchObject([
    { check: 'volume-with-models' },
  ]);
});

test('one without a model in it is nobody’s matter', () => {
  expect(checkVolumes(examined({ otherVolumes: [otherVolume({ models: 0, bytes: 0 })] }))).toEqual([]);
});

test('a name that a shell would take apart is quoted', () => {
  const [finding] = checkVolumes(examined({ otherVolumes: [otherVolume({ name: 'a b' })] }));
  expect(finding?.command).toBe("aixcl doctor --move 'a b'");
});

test('of models in a volume of another name those count that are not here', () => {
  const otherVolumes = [otherVolume({ here: 1, missingBytes: 5e8 })];
  expect(checkVolumes(examined({ otherVolumes }))).toMatchObject([
    { what: 'the volume services_ollama holds 2 models (500 MB) that this home does not have' },
  ]);
});

test('where only models are left whose names are taken here, these are named, with both ways out', () => {
  const left = { here: 2, missingBytes: 5e8, taken: ['mocha:latest'] };
  const [finding] = checkVolumes(examined({ otherVolumes: [otherVolume(left)] }));
  expect(finding).toMatchObject({
    check: 'volume-names-taken',
    level: 'danger',
    what: "the volume services_ollama holds 1 model (500 MB) that can't come here, as another of that name is: mocha:latest",
    command: 'aixcl doctor --move services_ollama',
    fixable: true,
  });
  expect(finding?.why).toContain('To have that one: aixcl models remove NAME');
  expect(finding?.why).toContain(
    'To have both, first give the one here a further name: ollama cp NAME OTHER.',
  );
  expect(checkVolumes(examined({ otherVolumes: [otherVolume({ ...left, here: 1 })] }))).toMatchObject([
    { check: 'volume-with-models', what: expect.stringContaining('holds 2 models') },
  ]);
});

test.each([
  ['nothing holds', {}, ['services_ollama']],
  ['only a running container holds', { heldBy: 'running container theirs' }, ['services_ollama']],
  ['the guard holds', { heldBy: 'guard aixcl-guard' }, []],
  ['is a name for something elsewhere', { inEngine: false }, []],
  ['has nothing in it that is not here', { here: 3 }, []],
  ['has no models in it', { models: 0 }, []],
] as const)(
  'of volumes with models of others, --fix holds one that %s as the finding says',
  (_, own, held) => {
    const world = examined({ otherVolumes: [otherVolume(own)] });
    expect(planFix(world).map((step) => 'volume' in step && step.volume)).toEqual(held);
    expect(checkVolumes(world).some(({ fixable }) => fixable)).toBe(held.length > 0);
  },
);

test('a volume is held once, whichever way it was found', () => {
  const volumes = [ourVolume({ name: 'services_ollama', heldBy: null })];
  expect(planFix(examined({ volumes, otherVolumes: [otherVolume()] }))).toHaveLength(1);
});

test.each([
  [
    'more than that lies in it',
    { onlyThere: ['adapters/mine.gguf'], path: '/volumes/v' },
    ', and 1 file that is not here: adapters/mine.gguf',
    'aixcl backups create /volumes/v',
  ],
  [
    'more lies in it and the guard holds it',
    { onlyThere: ['adapters/mine.gguf'], path: '/volumes/v', heldBy: 'guard aixcl-guard' },
    ', and 1 file that is not here: adapters/mine.gguf',
    'aixcl stack clean --volumes services_ollama',
  ],
  ['nobody could look what else does', { onlyThere: null }, '', null],
  [
    'the guard holds it',
    { onlyThere: [], heldBy: 'guard aixcl-guard' },
    '',
    'aixcl stack clean --volumes services_ollama',
  ],
] as const)(
  'where all models are here and %s, nothing is told that would lose it',
  (_, own, more, command) => {
    const found = checkVolumes(examined({ otherVolumes: [otherVolume({ here: 3, ...own })] }));
    expect(found).toMatchObject([{ check: 'volume-brought-over', level: 'note', command }]);
    expect(found[0]?.what).toBe(
      `the volume services_ollama holds 3 models (2 GB) that this home has too${more}`,
    );
  },
);
