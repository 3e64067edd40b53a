import { expect, test } from 'vitest';
import { labels } from '../../labels.ts';
import type { ContainerSummary } from '../engine.ts';
import { plan, planned, refusal, replacedId, replacedOllama } from '../test-plan.ts';
import { container, ourContainer, service, stack } from '../test-stack.ts';

const ollama = service('ollama', {
  healthcheck: { test: ['CMD', 'ollama', 'list'] },
  restart: { name: 'unless-stopped' },
});
const one = stack([ollama]);
const earlier = service('ollama', { ...ollama, image: 'ollama:0' });
const aside = 'ollama.aside-a5559cc38d9d';

const old = (own: Partial<ContainerSummary> = {}) =>
  ourContainer(stack([earlier]), earlier, { id: replacedId, name: aside, state: 'exited', ...own });
const replacement = (own: Partial<ContainerSummary> = {}, of = ollama) =>
  ourContainer(stack([of]), of, {
    health: 'healthy',
    ...own,
    labels: { [labels.replaces]: replacedId, [labels.replacedRestart]: 'always', ...own.labels },
  });

const finished = `finish-replace ollama: a redeploy was interrupted, and ${aside} is still set aside`;
const removed = `remove-replaced ${aside}: it is kept under this name, stopped, until the new ollama is healthy`;

test('without waiting, what is replaced stays set aside', async () => {
  const containers = [old({ name: 'ollama', state: 'running' })];
  expect(await planned(one, { containers, wish: { wait: false } })).toBe(
    `replace ollama: its image changed from ollama:0 to ollama:1
start ollama: it was just made
keep-aside ${aside}: nobody knows yet whether the new ollama is healthy; the next start removes it then, or goes back to it`,
  );
});

test('a redeploy whose new container runs is waited for, and ends', async () => {
  for (const own of [{ health: 'healthy' as const }, { health: 'starting' as const }]) {
    expect(await planned(one, { containers: [old(), replacement(own)] })).toBe(
      `${finished}
wait ollama: its health decides
${removed}`,
    );
  }
});

test('one whose new container was stopped goes on with it', async () => {
  expect(await planned(one, { containers: [old(), replacement({ state: 'exited' })] })).toBe(
    `${finished}
start ollama: it is exited
wait ollama: its health decides
${removed}`,
  );
});

test('without waiting, a new container that is healthy ends it, and one that is not leaves it as it is', async () => {
  const wish = { wait: false };
  expect(await planned(one, { containers: [old(), replacement()], wish })).toBe(
    `keep ollama: it runs as defined
${removed}`,
  );
  const starting = [old(), replacement({ health: 'starting' })];
  expect(await planned(one, { containers: starting, wish })).toMatch(/keep-aside [^\n]+$/);
  const loading = { ...wish, unready: new Set(['ollama']) };
  expect(await planned(one, { containers: [old(), replacement()], wish: loading })).toMatch(
    /keep-aside [^\n]+$/,
  );
});

test('one whose new container never ran begins again', async () => {
  const never = replacement({ name: 'a5559cc38d9d_ollama', state: 'created' });
  expect(await planned(one, { containers: [old(), never] })).toBe(
    `go-back ${aside}: the one that was to replace it never ran
${replacedOllama('its image changed from ollama:0 to ollama:1')}`,
  );
});

test.each(['exited', 'running'] as const)(
  'one that is set aside alone, %s, gets its name and the policy of the definition back',
  async (state) => {
    const fitting = ourContainer(one, ollama, { id: replacedId, name: aside, state, health: 'healthy' });
    const steps = await plan(one, { containers: [fitting] });
    expect(steps[0]).toMatchObject({
      kind: 'go-back',
      id: replacedId,
      to: 'ollama',
      restart: ollama.restart,
    });
    expect(steps.slice(1).map(({ kind }) => kind)).toEqual(
      state === 'running' ? ['keep'] : ['start', 'wait'],
    );
  },
);

test('a new container that did not become healthy goes, and the one before gets its own policy back', async () => {
  const failed = replacement({ state: 'exited' });
  const steps = await plan(one, {
    containers: [old(), { ...failed, name: `ollama.failed-${failed.id.slice(0, 12)}` }],
  });
  expect(steps[0]).toMatchObject({
    kind: 'go-back',
    replacement: failed.id,
    restart: { name: 'always' },
  });
  expect(steps.map(({ kind }) => kind)).toEqual(['go-back', 'replace', 'start', 'wait', 'remove-replaced']);
});

test('where the definition went back to what it was, so does an unproven redeploy', async () => {
  const definition = stack([earlier]);
  const images = ['ollama:0', 'ollama:1'];
  for (const own of [{ health: 'starting' as const }, { state: 'exited' as const }]) {
    expect(await planned(definition, { containers: [old(), replacement(own)], images })).toBe(
      `go-back ${aside}: the one that was to replace it did not become healthy
start ollama: it is exited
wait ollama: its health decides`,
    );
  }
});

test('what is healthy is replaced in its turn; what it replaced goes first', async () => {
  const images = ['ollama:1', 'ollama:2'];
  const later = stack([service('ollama', { ...ollama, image: 'ollama:2' })]);
  const now = replacement();
  expect(await planned(later, { containers: [old(), now], images })).toMatch(
    new RegExp(`^remove-replaced ${aside}: .*\nreplace ollama: .*\nstart .*\nwait .*\nremove-replaced `),
  );
});

test('without a health check one has to run for a minute to count for proven', async () => {
  const plain = service('ollama', { image: 'ollama:1' });
  const later = stack([service('ollama', { image: 'ollama:2' })]);
  const images = ['ollama:1', 'ollama:2'];
  for (const [status, first] of [
    ['Up 3 seconds', 'go-back'],
    ['Up Less than a second', 'go-back'],
    ['Up About a minute', 'remove-replaced'],
    ['Up 2 days', 'remove-replaced'],
  ]) {
    const now = replacement({ health: 'none', status: status! }, plain);
    const steps = await plan(later, { containers: [old(), now], images });
    expect([status, steps[0]?.kind]).toEqual([status, first]);
  }
});

test('a name that only looks like the mark is none', async () => {
  const containers = [
    ourContainer(one, ollama, { id: replacedId, health: 'healthy' }),
    container('ollama.aside-a5559cc38d9d'),
    container('ollama.aside-0123456789ab'),
  ];
  expect(await planned(one, { containers })).toBe('keep ollama: it runs as defined');
});

test('nothing goes back to a name that another container has', async () => {
  expect(await refusal(plan(one, { containers: [old(), container('ollama')] }))).toMatch(
    /^refused: a container of another project is called ollama/,
  );
});

const dependent = service('web', {
  dependsOn: new Map([['ollama', { condition: 'service_started', required: true, restart: true }]]),
});

test('what restarts with another does so too once its interrupted redeploy ends', async () => {
  const definition = stack([ollama, dependent]);
  const containers = [old(), replacement(), ourContainer(definition, dependent)];
  expect(await planned(definition, { containers })).toContain('restart web: ollama is replaced');
});

test('a container that shares the network of one set aside is kept when that one comes back', async () => {
  const guest = service('guest', { networkMode: 'service:ollama' });
  const definition = stack([guest, ollama]);
  const fitting = ourContainer(definition, ollama, { id: replacedId, name: aside, state: 'exited' });
  const containers = [fitting, ourContainer(definition, guest, { networkMode: `container:${replacedId}` })];
  expect(await planned(definition, { containers })).toContain('keep guest');
});
