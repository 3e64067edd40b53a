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
      why: 'No service here uses what is in it, nothing holds it, and docker system prune --volumes or docker volume prune deletes it.',
      command: 'aixcl doctor --move services_ollama',
      fixable: false,
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
  const closed = otherVolume({ models: null, bytes: null, here: null, broughtOver: true });
  expect(checkVolumes(examined({ otherVolumes: [closed] }))).toMatchObject([
    { check: 'volume-brought-over' },
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
