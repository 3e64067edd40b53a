import { expect, test } from 'vitest';
import type { ContainerSummary } from './engine.ts';
import { isHealthy, serviceStatuses } from './status.ts';
import { TestEngine } from './test-engine.ts';
import {
  composeContainer,
  container,
  containerId,
  ourContainer,
  replacing,
  service,
  stack,
  volume,
} from './test-stack.ts';

const ollama = service('ollama', {
  mounts: [{ kind: 'volume', source: 'ollama', target: '/root/.ollama', readOnly: false, noCopy: true }],
});
const web = service('web');
const definition = stack([ollama, web], { volumes: [volume('ollama')] });
const signal = new AbortController().signal;

function statuses(
  containers: readonly ContainerSummary[],
  wanted = ['ollama'],
  engine = new TestEngine({ containers }),
) {
  return serviceStatuses(engine, definition, new Set(wanted), containers, signal);
}

test('a service that is wanted and has no container is shown as absent', async () => {
  expect(await statuses([])).toEqual([
    expect.objectContaining({ service: 'ollama', state: 'absent', container: null, health: null }),
  ]);
});

test('one that is not wanted is shown where it has a container', async () => {
  const shown = await statuses([ourContainer(definition, web)]);
  expect(shown.map(({ service: name }) => name)).toEqual(['ollama', 'web']);
});

test('a container under a prefixed name is found, and the mend is said', async () => {
  const [status] = await statuses([ourContainer(definition, ollama, { name: 'a9f302029b81_ollama' })]);
  expect(status).toMatchObject({ container: 'a9f302029b81_ollama', matchedBy: 'labels' });
  expect(status?.condition).toContain('aixcl service restart ollama');
});

test('one that was started by hand is shown as that; decoys are not shown', async () => {
  expect((await statuses([container('ollama')]))[0]).toMatchObject({
    matchedBy: 'name',
    condition: 'aixcl did not make it; aixcl stack start --adopt takes it over',
  });
  const decoys = ['not-ollama', 'x_ollama', 'dead_ollama'].map((name) => container(name));
  expect((await statuses(decoys))[0]).toMatchObject({ state: 'absent' });
});

const old = composeContainer(definition, ollama, { id: containerId('a5559cc38d9d') });

test('two that could be it are named, and the service is not healthy', async () => {
  const [status] = await statuses([old, composeContainer(definition, ollama, { name: 'second' })]);
  expect(status?.candidates).toEqual(['ollama', 'second']);
  expect(isHealthy(status!)).toBe(false);
});

test('what a killed recreate left is named beside the container that runs, which stays healthy', async () => {
  const leftover = composeContainer(definition, ollama, { ...replacing(old), labels: {} });
  const [status] = await statuses([leftover, old]);
  expect(status).toMatchObject({ container: 'ollama', state: 'running' });
  expect(status?.condition).toContain('a5559cc38d9d_ollama');
  expect(isHealthy(status!)).toBe(true);
});

test('while the engine has not yet run the health check, it is run here', async () => {
  const checked = service('ollama', { ...ollama, healthcheck: { test: ['CMD', 'x'] } });
  const containers = [ourContainer(stack([checked]), checked, { health: 'starting' })];
  for (const [exitCode, health] of [
    [0, 'healthy'],
    [1, 'starting'],
  ] as const) {
    const engine = new TestEngine({ containers });
    const look = engine.inspectContainer;
    engine.inspectContainer = async (id) => {
      const found = await look(id);
      return found && { ...found, healthcheckTest: ['CMD', 'x'] };
    };
    engine.exec = async () => ({ exitCode, output: '' });
    expect((await statuses(containers, [], engine))[0]).toMatchObject({ health });
  }
});

test.each([
  [{ state: 'running', health: 'healthy' }, true],
  [{ state: 'running', health: 'none' }, true],
  [{ state: 'running', health: 'starting' }, false],
  [{ state: 'running', health: 'unhealthy' }, false],
  [{ state: 'exited', health: 'none' }, false],
  [{ state: 'absent', health: null }, false],
] as const)('%j: healthy is %s', async (own, healthy) => {
  const [status] = await statuses([ourContainer(definition, ollama)]);
  expect(isHealthy({ ...status!, ...own })).toBe(healthy);
});
