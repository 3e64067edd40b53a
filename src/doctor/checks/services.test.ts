import { expect, test } from 'vitest';
import { planFix } from '../plan-fix.ts';
import { daysAgo, examined, ourService } from '../test-examined.ts';
import { checkGpu } from './gpu.ts';
import { checkImages } from './images.ts';
import { checkLeftovers } from './leftovers.ts';
import { checkPorts } from './ports.ts';
import { checkServices } from './services.ts';

test.each([
  ['running', 'unhealthy', 'Up 3 minutes (unhealthy)', 'is not healthy'],
  ['restarting', 'none', 'Restarting (1) 3 seconds ago', 'ends and is started again and again'],
  ['paused', 'none', 'Up 3 minutes (Paused)', 'is paused'],
  ['dead', 'none', 'Dead', 'is dead'],
  ['exited', 'none', 'Exited (1) 3 minutes ago', 'ended by itself'],
] as const)('a service that is %s (%s) is a problem, with its logs', (state, health, status, words) => {
  expect(checkServices(examined({ services: [ourService({ state, health, status })] }))).toMatchObject([
    {
      check: 'service-unhealthy',
      what: expect.stringContaining(`ollama ${words}`),
      command: 'aixcl service logs ollama',
    },
  ]);
});

test.each([
  ['running', 'starting', 'Up 3 seconds (health: starting)'],
  ['running', 'none', 'Up 3 minutes'],
  ['exited', 'none', 'Exited (0) 3 minutes ago'],
  ['exited', 'none', 'Exited (137) 3 minutes ago'],
  ['absent', null, 'no container'],
] as const)('one that is %s (%s), %s, is no finding', (state, health, status) => {
  expect(checkServices(examined({ services: [ourService({ state, health, status })] }))).toEqual([]);
});

test('what an interrupted recreate left is mended by service restart; a lost name alone by --fix', () => {
  const condition =
    'its container is called 0123456789ab_ollama: an interrupted recreate; aixcl service restart ollama gives it its name back';
  const more = examined({ services: [ourService({ condition })] });
  expect(checkServices(more)).toMatchObject([
    {
      check: 'service-interrupted',
      what: 'ollama: its container is called 0123456789ab_ollama: an interrupted recreate',
      command: 'aixcl service restart ollama',
      fixable: false,
    },
  ]);
  expect(planFix(more)).toEqual([]);
  const nameAlone = examined({ services: [ourService({ condition, onlyRename: true })] });
  expect(checkServices(nameAlone)).toMatchObject([{ command: 'aixcl doctor --fix', fixable: true }]);
  expect(planFix(nameAlone)).toMatchObject([{ kind: 'rename-container', service: 'ollama' }]);
});

test.each([
  [
    'web is to replace aside_web, which is kept until the new one is known to be healthy; aixcl service start web removes it then, or goes back to it',
    'web is to replace aside_web, which is kept until the new one is known to be healthy',
    'aixcl service start web',
  ],
  [
    'its container is called 0_web, and its name is taken by another one: docker rename web web-other, then aixcl service restart web',
    'its container is called 0_web, and its name is taken by another one',
    'docker rename web web-other',
  ],
  [
    '2 containers could be web: web, second; aixcl does not choose between them',
    '2 containers could be web: web, second; aixcl does not choose between them',
    'aixcl service restart web',
  ],
])('the command that a condition names is the next: %s', (condition, what, command) => {
  const services = [ourService({ service: 'web', condition })];
  expect(checkServices(examined({ services }))).toMatchObject([{ what: `web: ${what}`, command }]);
});

test('a container that was made by hand is worth a word', () => {
  const condition = 'aixcl did not make it; aixcl stack start --adopt takes it over';
  expect(checkServices(examined({ services: [ourService({ matchedBy: 'name', condition })] }))).toMatchObject(
    [{ check: 'service-by-hand', level: 'note', command: 'aixcl stack start --adopt' }],
  );
});

test('a port that is taken is told as stack start would tell it', () => {
  const what = 'an Ollama runs on this machine itself (ollama (pid 7)) and holds port 11434';
  const ports = [{ service: 'ollama', what, command: 'sudo systemctl disable --now ollama' }];
  expect(checkPorts(examined({ ports }))).toMatchObject([{ check: 'port-taken', level: 'problem', what }]);
});

test('a GPU that stands idle is a problem', () => {
  const gpu = { message: 'the engine gives containers no NVIDIA GPU', mend: 'Install it.' };
  expect(checkGpu(examined({ gpu }))).toMatchObject([{ check: 'gpu-not-given', command: 'Install it.' }]);
});

test('images that drifted and pins that .env overrides are notes', () => {
  const images = {
    drifted: [
      { service: 'ollama', runs: 'ollama:1', named: 'ollama:2' },
      { service: 'open-webui', runs: 'webui:1', named: 'webui:1' },
    ],
    overridden: [{ variable: 'OLLAMA_IMAGE', value: 'ollama:1', pin: 'ollama:2' }],
  };
  const found = checkImages(examined({ images }));
  expect(found.map(({ what }) => what)).toEqual([
    'ollama runs on ollama:1; its definition names ollama:2',
    'open-webui runs on an older image than webui:1 is now',
    'OLLAMA_IMAGE=ollama:1 in .env stands in for ollama:2',
  ]);
  expect(found.every(({ level }) => level === 'note')).toBe(true);
});

test('uploads that nobody went on with for a week are named, with where to clear them', () => {
  const upload = (file: string, days: number) => ({ file, bytes: 1_000_000_000, touched: daysAgo(days) });
  const uploads = [upload('tea.gguf', 6), upload('milk.gguf', 7), upload('old.gguf', 70)];
  const leftovers = { helpers: [], unfinishedNames: false, interrupted: null, uploads };
  expect(checkLeftovers(examined({ leftovers }))).toMatchObject([
    {
      check: 'upload-left',
      level: 'note',
      what: '2 uploads (2 GB) got no byte for 7 days or more: "milk.gguf", "old.gguf"',
      command: 'aixcl ui',
      fixable: false,
    },
  ]);
  expect(checkLeftovers(examined({ leftovers: { ...leftovers, uploads: uploads.slice(0, 1) } }))).toEqual([]);
});

test('helpers of killed commands and names half changed are settled by --fix; the command that was killed is named', () => {
  const leftovers = {
    helpers: ['aixcl-helper-1', 'aixcl-helper-2'],
    unfinishedNames: true,
    interrupted: {
      operation: '20261122t010203-abcdef',
      command: 'models remove',
      began: new Date('2026-11-22T01:02:03Z'),
    },
    uploads: [],
  };
  const world = examined({ leftovers });
  expect(checkLeftovers(world).map(({ check, level, fixable }) => [check, level, fixable])).toEqual([
    ['names-half-changed', 'problem', true],
    ['helper-left', 'note', true],
    ['command-interrupted', 'note', false],
  ]);
  expect(checkLeftovers(world)[2]).toMatchObject({
    what: 'aixcl models remove, begun 2026-11-22 01:02 UTC, was killed before its end',
    command: 'aixcl journal 20261122t010203-abcdef',
  });
  expect(planFix(world).map(({ kind }) => kind)).toEqual(['settle-names', 'remove-helper', 'remove-helper']);
});
