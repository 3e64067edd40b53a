import { expect, test } from 'vitest';
import { replacedId as id, planned, replacedOllama } from './test-plan.ts';
import { composeContainer, imageIdOf, ourContainer, service, stack } from './test-stack.ts';

const ollama = service('ollama', { healthcheck: { test: ['CMD', 'ollama', 'list'] } });
const one = stack([ollama]);

test('a changed definition makes the container anew', async () => {
  const before = service('ollama', { ...ollama, environment: new Map([['OLLAMA_DEBUG', '1']]) });
  expect(await planned(one, { containers: [ourContainer(stack([before]), before, { id })] })).toBe(
    replacedOllama('its definition or a script that it mounts changed'),
  );
});

const scripted = service('ollama', {
  ...ollama,
  mounts: [{ kind: 'bind', source: '/s/run.sh', target: '/run.sh', readOnly: true, createSource: false }],
});
const withScript = stack([scripted]);
const runOf = (hash: string) =>
  ourContainer(withScript, scripted, { id, health: 'healthy', scripts: new Map([['/s/run.sh', hash]]) });

test('a changed script makes the container anew; an unchanged one does not', async () => {
  const paths = { '/s/run.sh': 'aaaa' };
  expect(await planned(withScript, { containers: [runOf('bbbb')], paths })).toBe(
    replacedOllama('its definition or a script that it mounts changed'),
  );
  expect(await planned(withScript, { containers: [runOf('aaaa')], paths })).toBe(
    'keep ollama: it runs as defined',
  );
});

test('another image under the same name makes the container anew', async () => {
  const images = [{ id: 'sha256:new', tags: ['ollama:1'], digests: [], labels: {}, size: 1 }];
  expect(await planned(one, { containers: [ourContainer(one, ollama, { id })], images })).toBe(
    replacedOllama('ollama:1 is another image now'),
  );
});

test('another image reference makes the container anew, and says from what to what', async () => {
  const before = service('ollama', { ...ollama, image: 'ollama:0' });
  const containers = [ourContainer(stack([before]), before, { id })];
  expect(await planned(one, { containers })).toBe(
    replacedOllama('its image changed from ollama:0 to ollama:1'),
  );
  expect(await planned(one, { containers, images: [] })).toBe(
    `pull-image ollama:1: it is not here
${replacedOllama('its image changed from ollama:0 to ollama:1')}`,
  );
});

test('the same image under another name is no reason to make a container anew', async () => {
  const before = service('ollama', { ...ollama, image: 'mirror/ollama:1' });
  const containers = [
    ourContainer(stack([before]), before, { health: 'healthy', imageId: imageIdOf('ollama:1') }),
  ];
  const labels = ourContainer(one, ollama).labels;
  const kept = containers.map((each) => ({ ...each, labels: { ...labels, 'io.aixcl.image': before.image } }));
  expect(await planned(one, { containers: kept })).toBe('keep ollama: it runs as defined');
});

test('a container whose image lost its name (`docker rmi -f`) runs on', async () => {
  const containers = [ourContainer(one, ollama, { health: 'healthy', image: imageIdOf('ollama:1') })];
  expect(await planned(one, { containers, images: [] })).toBe('keep ollama: it runs as defined');
});

test('labels are never drift', async () => {
  const labelled = service('ollama', { ...ollama, labels: new Map([['team', 'a']]) });
  const containers = [
    ourContainer(one, ollama, { health: 'healthy', labels: { 'io.aixcl.home': '/else', more: 'x' } }),
  ];
  expect(await planned(stack([labelled]), { containers })).toBe('keep ollama: it runs as defined');
});

test('what Compose made is made anew, for nothing says what it was made from', async () => {
  expect(await planned(one, { containers: [composeContainer(one, ollama, { id })] })).toBe(
    replacedOllama(
      'it was not made by aixcl (by docker compose, say), so nothing says what it was made from',
    ),
  );
});

const dependent = (restart: boolean) =>
  service('web', {
    dependsOn: new Map([['ollama', { condition: 'service_started', required: true, restart }]]),
  });

test('a kept dependent restarts where its definition asks for it, and only when what it depends on was replaced', async () => {
  for (const [restart, drifted, expected] of [
    [true, true, 'restart web: ollama is replaced'],
    [false, true, undefined],
    [true, false, undefined],
  ] as const) {
    const web = dependent(restart);
    const definition = stack([ollama, web]);
    const mine = drifted ? composeContainer(definition, ollama) : ourContainer(definition, ollama);
    const text = await planned(definition, { containers: [mine, ourContainer(definition, web)] });
    expect(text).toContain('keep web: it runs as defined');
    expect(text.split('\n').find((line) => line.startsWith('restart'))).toBe(expected);
  }
});
