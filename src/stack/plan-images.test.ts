import { expect, test } from 'vitest';
import { labels } from '../labels.ts';
import { plan, planned, refusal } from './test-plan.ts';
import { image, service, stack } from './test-stack.ts';

const ollama = service('ollama');
const one = stack([ollama]);
const _held =
  'hold-volumes ollama: its bytes lie inside the engine, where a clean-up takes what no running container holds';
const made = `create ollama: there is no container for it
start ollama: it was just made
wait ollama: it has to stay up`;

test('an image that two services need is pulled once', async () => {
  const definition = stack([service('a', { image: 'same:1' }), service('b', { image: 'same:1' })]);
  const lines = (await planned(definition, { images: [] })).split('\n');
  expect(lines.filter((line) => line.startsWith('pull'))).toEqual(['pull-image same:1: it is not here']);
});

test('an image that is not here and may not be pulled is named, with its service', async () => {
  const expected = `notFound: the image ollama:1 of ollama is not here, and pulling is switched off
docker pull ollama:1`;
  expect(await refusal(plan(one, { images: [], wish: { pull: 'never' } }))).toBe(expected);
  const never = stack([service('ollama', { pullPolicy: 'never' })]);
  expect(await refusal(plan(never, { images: [] }))).toBe(expected);
});

test('what is here needs no pull, also where pulling is switched off', async () => {
  expect(await planned(one, { wish: { pull: 'never' } })).toBe(made);
});

test('an image of ours is made on this machine, never pulled', async () => {
  const local = stack([service('ollama', { image: 'local/ollama' })]);
  for (const pull of ['missing', 'never'] as const) {
    expect(await planned(local, { images: [], wish: { pull } })).toBe(
      `build-local-image local/ollama: it is not here, and it is made on this machine\n${made}`,
    );
  }
});

const build = { context: '/services/x', dockerfile: 'Dockerfile', args: new Map<string, string>() };

test.each([
  ['where it is not here', {}, { images: [] }, 'it is not here'],
  ['where a build was asked for', {}, { wish: { build: true } }, 'a build was asked for'],
  ['where its pull policy is build', { pullPolicy: 'build' as const }, {}, 'a build was asked for'],
])('an image with a build is built %s', async (_where, own, world, because) => {
  const built = stack([service('ollama', { build, ...own })]);
  expect(await planned(built, world)).toBe(`build-image ollama:1: ${because}\n${made}`);
});

test('an image that aixcl built is built anew when what it is built from is another now', async () => {
  const images = [{ ...image('ollama:1'), labels: { [labels.built]: 'sha256:old' } }];
  const built = stack([service('ollama', { build })]);
  expect(await planned(built, { images, built: 'sha256:new' })).toBe(
    `build-image ollama:1: what it is built from is another now\n${made}`,
  );
  expect(await planned(built, { images, built: 'sha256:old' })).toBe(made);
  expect(await planned(built, { images, built: 'sha256:new', wish: { build: true } })).toBe(
    `build-image ollama:1: a build was asked for\n${made}`,
  );
});

test('an image with a build that is here is not built unasked', async () => {
  expect(await planned(stack([service('ollama', { build })]))).toBe(made);
});

const always = service('a', { pullPolicy: 'always' });

test('an image that is always to be pulled is pulled also where it is here; the flag goes over the definition', async () => {
  const definition = stack([always]);
  expect(await planned(definition)).toMatch(/^pull-image a:1: it is always pulled/);
  expect(await planned(definition, { wish: { pull: 'never' } })).not.toContain('pull-image');
  expect(await planned(stack([service('a')]), { wish: { pull: 'always' } })).toMatch(/^pull-image a:1/);
});

test('what a build stands on is made before it where no registry has it', async () => {
  const local = { ...build, args: new Map([['NODE_IMAGE', 'local/node']]) };
  const definition = stack([service('ollama', { build: local })]);
  const base = 'build-local-image local/node: it is not here, and a build stands on it\n';
  expect(await planned(definition, { images: [] })).toBe(
    `${base}build-image ollama:1: it is not here\n${made}`,
  );
  expect(await planned(definition, { images: [], wish: { build: true } })).toBe(
    `${base}build-image ollama:1: a build was asked for\n${made}`,
  );
  expect(await planned(definition, { images: ['local/node'] })).toBe(
    `build-image ollama:1: it is not here\n${made}`,
  );
  const both = stack([service('ollama', { build: local }), service('web', { image: 'local/node' })]);
  const lines = (await planned(both, { images: [] })).split('\n');
  expect(lines.filter((line) => line.startsWith('build-local-image'))).toHaveLength(1);
});
