import { expect, test } from 'vitest';
import type { ContainerSummary } from './engine.ts';
import { applyRestart, awaitRestarted, interrupted, planRestart } from './restart.ts';
import { applyStop, planStop } from './stop.ts';
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

const ollama = service('ollama');
const web = service('web');
const definition = stack([ollama, web]);
const both = [web, ollama];
const hands = {
  timeout: undefined,
  wait: true,
  waitTimeoutMs: 2000,
  dryRun: false,
  signal: new AbortController().signal,
  note: async () => {},
  progress: { start: () => ({ update() {}, succeed() {}, fail() {} }) },
};
const old = composeContainer(definition, ollama, { id: containerId('a5559cc38d9d'), state: 'exited' });
const leftover = composeContainer(definition, ollama, { ...replacing(old), labels: {} });

function stops(containers: readonly ContainerSummary[], named = false): string[] {
  return planStop(definition, both, containers, named).map(
    (step) => `${step.kind} ${step.container?.name ?? step.service}: ${step.because}`,
  );
}

test('what runs is stopped, in the order that was asked for', () => {
  const containers = [ourContainer(definition, ollama), ourContainer(definition, web)];
  expect(stops(containers)).toEqual(['stop web: it runs', 'stop ollama: it runs']);
});

test.each(['running', 'restarting', 'paused'] as const)('one that is %s is stopped', (state) => {
  expect(stops([ourContainer(definition, web, { state })])).toEqual(['stop web: it runs']);
});

test('what does not run is kept', () => {
  expect(stops([ourContainer(definition, web, { state: 'exited' })])).toEqual(['keep web: it is exited']);
});

test('a container started by hand is stopped only where its service is named; decoys never', () => {
  const containers = [container('web'), container('x_web'), container('not-ollama')];
  expect(stops(containers)).toEqual(['keep web: aixcl did not make it; name it to stop it']);
  expect(stops(containers, true)).toEqual(['stop web: it runs', 'keep ollama: there is no container for it']);
});

test('stopping works past what a killed recreate left', () => {
  expect(stops([leftover, { ...old, state: 'running' }])).toEqual(['stop ollama: it runs']);
});

test('each is stopped before the next, with the time that was given; a dry run stops none', async () => {
  const containers = [ourContainer(definition, ollama), ourContainer(definition, web)];
  const engine = new TestEngine({ containers });
  const stopped: unknown[] = [];
  engine.stopContainer = async (id, timeout) => void stopped.push([id, timeout]);
  const plan = planStop(definition, both, containers, false);
  const planned = await applyStop(engine, plan, { ...hands, dryRun: true });
  expect(planned.map(({ outcome }) => outcome)).toEqual(['planned', 'planned']);
  expect(stopped).toEqual([]);
  const noted: string[] = [];
  const note = async (kind: string, target: string) => void noted.push(`${kind} ${target} ${stopped.length}`);
  await applyStop(engine, plan, { ...hands, note, timeout: 7 });
  expect(noted).toEqual(['stop web 0', 'stop ollama 1']);
  expect(stopped).toEqual([
    [containers[1]?.id, 7],
    [containers[0]?.id, 7],
  ]);
});

const all = { named: [], anew: new Set<string>() };

function restarts(containers: readonly ContainerSummary[], named: readonly string[] = []): string[] {
  const services = named.length > 0 ? both.filter(({ name }) => named.includes(name)) : both;
  return planRestart(definition, services, containers, { ...all, named }).map(
    ({ kind, container: one, to }) => `${kind} ${one.name}${to ? ` to ${to}` : ''}`,
  );
}

test('every container of the stack restarts; one started by hand only where it is named', () => {
  const containers = [ourContainer(definition, ollama), container('web')];
  expect(restarts(containers)).toEqual(['restart ollama']);
  expect(restarts(containers, ['web'])).toEqual(['restart web']);
});

test('a container under another name gets its own back on the way, where that is free', () => {
  const renamed = ourContainer(definition, ollama, { name: 'renamed' });
  expect(restarts([renamed])).toEqual(['rename renamed to ollama', 'restart renamed']);
  expect(restarts([renamed, container('ollama')])).toEqual(['restart renamed']);
});

const volumes = [volume('data', { name: 'ollama' })];
const withData = service('ollama', {
  mounts: [{ kind: 'volume', source: 'data', target: '/root/.ollama', readOnly: false, noCopy: true }],
});

test.each([
  ['the same volume', [{ kind: 'volume', name: 'ollama', target: '/root/.ollama' }], true],
  ['nothing mounted', [], true],
  ['another volume', [{ kind: 'volume', name: 'other', target: '/root/.ollama' }], false],
])(
  'one that only its prefixed name tells, with %s, gets the name of the service: %3$s',
  (_what, mounts, renames) => {
    const stray = container('a9f302029b81_ollama', { mounts });
    const plan = planRestart(stack([withData], { volumes }), [withData], [stray], {
      ...all,
      named: ['ollama'],
    });
    expect(plan.map(({ kind }) => kind)).toEqual(renames ? ['rename', 'restart'] : ['restart']);
  },
);

test.each([
  ['what never ran beside the old container', [leftover, old], true],
  ['a replacement alone', [leftover], true],
  ['one that runs beside a stopped one', [{ ...leftover, state: 'running' as const }, old], true],
  ['a container under its own name', [old], false],
  ['one that a hand renamed', [{ ...old, name: 'renamed' }], false],
  ['one that nobody labelled', [container('a9f302029b81_ollama')], false],
  ['nothing', [], false],
])('%s is an interrupted recreate: %3$s', (_what, containers, is) => {
  expect(interrupted(definition, both, containers)).toEqual(is ? ['ollama'] : []);
});

test('what runs anew already is not restarted again, and need not be there twice', () => {
  const anew = new Set(['ollama']);
  const containers = [ourContainer(definition, ollama), ourContainer(definition, web)];
  const plan = planRestart(definition, both, containers, { named: [], anew });
  expect(plan.map((step) => step.container.name)).toEqual(['web']);
  expect(planRestart(definition, [ollama], containers, { named: ['ollama'], anew })).toEqual([]);
});

test('two containers that ran are refused', () => {
  const second = composeContainer(definition, ollama, { name: 'aixcl-ollama-1' });
  expect(() => restarts([old, second])).toThrow('2 containers could be ollama');
  expect(() => stops([old, second])).toThrow('2 containers could be ollama');
});

test('a service without a container, and a stack without any, are told to start', () => {
  expect(() => restarts([], ['web'])).toThrow(
    expect.objectContaining({ code: 'notFound', hint: 'aixcl service start web' }),
  );
  expect(() => restarts([container('x_web')])).toThrow(
    expect.objectContaining({ code: 'notFound', hint: 'aixcl stack start' }),
  );
});

test('a restart waits for health, and fails without it; a dry run touches nothing', async () => {
  const containers = [ourContainer(definition, web)];
  const engine = new TestEngine({ containers });
  const look = engine.inspectContainer;
  engine.inspectContainer = async (id) => {
    const found = await look(id);
    return found && { ...found, state: 'exited', exitCode: 1 };
  };
  const plan = planRestart(definition, [web], containers, all);
  await applyRestart(engine, plan, { ...hands, dryRun: true });
  expect(engine.did).toEqual([]);
  await applyRestart(engine, plan, hands);
  await expect(awaitRestarted(engine, plan, hands)).rejects.toMatchObject({ code: 'unhealthy' });
});

test('a wait tells what is said for people, and nothing that a program prints', async () => {
  const tell = async (output: string) => {
    const engine = new TestEngine({ containers: [ourContainer(definition, web)] });
    engine.exec = async () => ({ exitCode: 0, output });
    const inspect = engine.inspectContainer;
    engine.inspectContainer = async (id) => {
      const found = await inspect(id);
      return found && { ...found, healthcheckTest: ['CMD', 'check'] };
    };
    const told: string[] = [];
    const task = { update: ({ text }: { text: string }) => void told.push(text), succeed() {}, fail() {} };
    const plan = planRestart(definition, [web], await engine.listContainers(), all);
    await awaitRestarted(engine, plan, { ...hands, progress: { start: () => task } });
    return told;
  };
  expect(await tell('NAME    ID    SIZE    MODIFIED')).toEqual([]);
  expect(await tell('aixcl: ready tea.gguf')).toEqual(['ready tea.gguf']);
});

test('a task that ended well says no more of what it waited for', async () => {
  const engine = new TestEngine({ containers: [ourContainer(definition, web)] });
  const ended: unknown[] = [];
  const task = { update() {}, succeed: (text?: string) => void ended.push(text), fail() {} };
  const plan = planRestart(definition, [web], await engine.listContainers(), all);
  await awaitRestarted(engine, plan, { ...hands, progress: { start: () => task } });
  expect(ended).toEqual(['']);
});
