import { expect, test } from 'vitest';
import type { ContainerState } from './engine.ts';
import { plan, planned, refusal, replacedOllama } from './test-plan.ts';
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

const ollama = service('ollama', { healthcheck: { test: ['CMD', 'ollama', 'list'] } });
const llama = service('llama-server');
const both = stack([ollama, llama]);
const one = stack([ollama]);

test('where nothing is, everything is made: image, network, container', async () => {
  expect(await planned(both, { images: [], networks: [] })).toBe(
    `pull-image ollama:1: it is not here
pull-image llama-server:1: it is not here
create-network aixcl_default: it does not exist
create ollama: there is no container for it
start ollama: it was just made
wait ollama: its health decides
create llama-server: there is no container for it
start llama-server: it was just made
wait llama-server: it has to stay up`,
  );
});

test('what runs as it is defined is kept, and not waited for', async () => {
  const containers = [ourContainer(both, ollama, { health: 'healthy' }), ourContainer(both, llama)];
  expect(await planned(both, { containers })).toBe(
    `keep ollama: it runs as defined
keep llama-server: it runs as defined`,
  );
});

test.each([
  ['whose health the engine has not yet looked at', { health: 'starting' as const }],
  ['that is unhealthy', { health: 'unhealthy' as const }],
  ['that the engine restarts', { state: 'restarting' as const }],
])('one %s is kept and waited for', async (_of, own) => {
  expect(await planned(one, { containers: [ourContainer(one, ollama, own)] })).toBe(
    `keep ollama: it runs as defined
wait ollama: its health decides`,
  );
});

test('one that loads, healthy or not for the engine, is kept and waited for', async () => {
  const containers = [ourContainer(one, ollama, { health: 'healthy' })];
  expect(await planned(one, { containers, wish: { unready: new Set(['ollama']) } })).toBe(
    `keep ollama: it runs as defined
wait ollama: its health decides`,
  );
});

test('with --no-wait nothing is waited for', async () => {
  expect(await planned(one, { wish: { wait: false } })).toBe(
    `create ollama: there is no container for it
start ollama: it was just made`,
  );
});

test.each(['exited', 'created', 'paused'] as const)('one that is %s is started', async (state) => {
  expect(await planned(one, { containers: [ourContainer(one, ollama, { state })] })).toBe(
    `start ollama: it is ${state}
wait ollama: its health decides`,
  );
});

const old = composeContainer(one, ollama, { id: containerId('a5559cc38d9d'), state: 'exited' });

test.each([
  ['ours', ourContainer(one, ollama, replacing(old))],
  ["Compose's", composeContainer(one, ollama, { ...replacing(old), labels: {} })],
])('what a killed recreate of %s left goes first', async (_of, leftover) => {
  expect(await planned(one, { containers: [leftover, old] })).toBe(
    `remove-leftover a5559cc38d9d_ollama: an interrupted recreate left it behind; it never ran
${replacedOllama('it was not made by aixcl (by docker compose, say), so nothing says what it was made from')}`,
  );
});

test('a leftover beside a container that runs as defined goes, and that one is kept', async () => {
  const current = ourContainer(one, ollama, { id: containerId('a5559cc38d9d'), health: 'healthy' });
  const leftover = ourContainer(one, ollama, replacing(current));
  expect(await planned(one, { containers: [leftover, current] })).toBe(
    `remove-leftover a5559cc38d9d_ollama: an interrupted recreate left it behind; it never ran
keep ollama: it runs as defined`,
  );
});

test('a replacement whose predecessor is gone gets the name and is started', async () => {
  expect(await planned(one, { containers: [ourContainer(one, ollama, replacing(old))] })).toBe(
    `rename a5559cc38d9d_ollama → ollama: an interrupted recreate left it under another name
start ollama: it is created
wait ollama: its health decides`,
  );
});

test('a running container under a prefixed name gets its name back and runs on', async () => {
  const name = 'a9f302029b81_b2f302029b81_ollama';
  expect(await planned(one, { containers: [ourContainer(one, ollama, { name, health: 'healthy' })] })).toBe(
    `rename ${name} → ollama: an interrupted recreate left it under another name
keep ollama: it runs as defined`,
  );
});

test('one that is replaced gets its own name before: Compose 1 gave it the one that the new container gets', async () => {
  const renamed = { ...old, name: `${old.id.slice(0, 12)}_ollama` };
  const fresh = composeContainer(one, ollama, { state: 'created' });
  expect(await planned(one, { containers: [fresh, renamed] })).toMatch(
    new RegExp(
      `^remove-leftover ollama: .*\nrename ${renamed.name} → ollama: .*\nreplace ollama: it was not made by aixcl`,
    ),
  );
});

test('one that only its prefixed name tells is taken over where it is stopped and keeps no other data', async () => {
  const name = 'a9f302029b81_ollama';
  const data = service('ollama', {
    mounts: [{ kind: 'volume', source: 'data', target: '/root/.ollama', readOnly: false, noCopy: true }],
  });
  const world = stack([data], { volumes: [volume('data', { name: 'ollama' })] });
  const standing = (volumeName: string, state: ContainerState) => ({
    containers: [
      container(name, { state, mounts: [{ kind: 'volume', name: volumeName, target: '/root/.ollama' }] }),
    ],
    volumes: ['ollama'],
  });
  expect(await planned(world, standing('ollama', 'exited'))).toMatch(/^adopt a9f302029b81_ollama:/m);
  expect(await refusal(plan(world, standing('ollama', 'running')))).toContain('--adopt');
  expect(await refusal(plan(world, standing('other', 'exited')))).toContain('--adopt');
});

test('one that the engine restarts over and over is stopped before it gets its name back', async () => {
  const name = 'a9f302029b81_ollama';
  const containers = [ourContainer(one, ollama, { name, state: 'restarting' })];
  expect(await planned(one, { containers })).toBe(
    `rename ${name} → ollama: an interrupted recreate left it under another name
start ollama: it is restarting
wait ollama: its health decides`,
  );
});

test('where its name is taken, a running container keeps the one that it has', async () => {
  const containers = [
    ourContainer(one, ollama, { name: 'a9f302029b81_ollama', health: 'healthy' }),
    container('ollama', { state: 'exited' }),
  ];
  expect(await planned(one, { containers })).toBe('keep a9f302029b81_ollama: it runs as defined');
});

test('nothing is replaced while another container has the name that the new one needs', async () => {
  const drifted = composeContainer(one, ollama, { name: 'a9f302029b81_ollama' });
  expect(await refusal(plan(one, { containers: [drifted, container('ollama')] }))).toBe(
    `refused: a container of another project is called ollama (some:1, Up 2 minutes)
docker rename ollama ollama-other`,
  );
});

test('two containers that ran are refused', async () => {
  const containers = [old, composeContainer(one, ollama, { name: 'aixcl-ollama-1' })];
  expect(await refusal(plan(one, { containers }))).toMatch(
    /^refused: 2 containers could be ollama: ollama, aixcl-ollama-1;/,
  );
});

test.each(['ollama', 'a9f302029b81_ollama'])(
  '%s, started by hand, is refused with both ways out',
  async (name) => {
    expect(await refusal(plan(one, { containers: [container(name)] }))).toBe(
      `refused: the container ${name} (some:1, Up 2 minutes) was not made by aixcl, and ollama needs its name
Take it over, its volumes kept: aixcl stack start --adopt. Or keep it as it is: docker rename ${name} ollama-mine`,
    );
  },
);

test('a container started by hand is taken over with --adopt, and set aside', async () => {
  const containers = [container('ollama', { id: containerId('a5559cc38d9d') })];
  const steps = await plan(one, { containers, wish: { adopt: true } });
  expect(steps.map(({ kind }) => kind)).toEqual(['adopt', 'start', 'wait']);
  expect(steps[0]).toMatchObject({ name: 'ollama', aside: 'ollama.before-aixcl-a5559cc38d9d' });
});

test('a container of another project under our name is refused, with and without --adopt', async () => {
  const labels = { 'com.docker.compose.project': 'theirs', 'com.docker.compose.service': 'ollama' };
  const containers = [container('ollama', { labels })];
  for (const adopt of [false, true]) {
    expect(await refusal(plan(one, { containers, wish: { adopt } }))).toMatch(
      /^refused: a container of another project is called ollama/,
    );
  }
});

test('decoys change nothing', async () => {
  const names = ['not-ollama', 'x_ollama', 'dead_ollama', 'A9F302029B81_ollama', 'a9f302029b8_ollama'];
  expect(await planned(one, { containers: names.map((name) => container(name)) })).toBe(await planned(one));
});

test('only the services that were asked for are planned', async () => {
  expect(await planned(both, { services: [llama], images: [], containers: [container('ollama')] })).toBe(
    `pull-image llama-server:1: it is not here
create llama-server: there is no container for it
start llama-server: it was just made
wait llama-server: it has to stay up`,
  );
});
