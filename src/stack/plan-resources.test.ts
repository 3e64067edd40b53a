import { expect, test } from 'vitest';
import { plan, planned, refusal } from './test-plan.ts';
import { boundVolume, home, network, ourContainer, service, stack, volume } from './test-stack.ts';

const ollama = service('ollama');
const _one = stack([ollama]);
const held =
  'hold-volumes ollama: its bytes lie inside the engine, where a clean-up takes what no running container holds';
const made = `create ollama: there is no container for it
start ollama: it was just made
wait ollama: it has to stay up`;

test('a network of the definition is made once, one that is there is used, one that nobody uses is not made', async () => {
  const web = service('web', { networks: new Map([['back', { aliases: [] }]]) });
  const other = service('other', { networks: new Map([['back', { aliases: [] }]]) });
  const definition = stack([web, other], { networks: [network('back'), network('unused')] });
  const networks = async (names: string[]) =>
    (await planned(definition, { networks: names })).split('\n').filter((line) => line.includes('network'));
  expect(await networks([])).toEqual(['create-network aixcl_back: it does not exist']);
  expect(await networks(['aixcl_back'])).toEqual([]);
});

test('an external network or volume that is missing is never made', async () => {
  const web = service('web', { networks: new Map([['out', { aliases: [] }]]) });
  const outside = stack([web], { networks: [network('out', { name: 'out', external: true })] });
  expect(await refusal(plan(outside, { networks: [] }))).toBe(
    'notFound: the network out is declared external and does not exist\ndocker network create out',
  );
  const held = stack([withVolume], { volumes: [volume('ollama', { external: true })] });
  expect(await refusal(plan(held))).toMatch(
    /^notFound: the volume ollama is declared external and does not exist\nA new, empty one: docker volume create ollama .*aixcl backups restore ID/,
  );
});

const withVolume = service('ollama', {
  mounts: [{ kind: 'volume', source: 'ollama', target: '/root/.ollama', readOnly: false, noCopy: true }],
});

test('a volume that is a name for a folder says so, and its folder is made first', async () => {
  const folder = `${home}/ollama`;
  const definition = stack([withVolume], { volumes: [boundVolume('ollama', folder)] });
  expect(await planned(definition, { paths: { [folder]: 'missing' } })).toBe(
    `make-directory ${folder}: the volume ollama is a name for it
create-volume ollama: it does not exist; it is a name for ${folder}
${made}`,
  );
});

test('a volume that is there is used as it is, however its definition changed', async () => {
  const definition = stack([withVolume], { volumes: [boundVolume('ollama', `${home}/ollama`)] });
  expect(await planned(definition, { volumes: ['ollama'] })).toBe(`${held}\n${made}`);
  const moved = stack([withVolume], { volumes: [boundVolume('ollama', '/elsewhere')] });
  const containers = [ourContainer(definition, withVolume)];
  expect(await planned(moved, { volumes: ['ollama'], containers })).toBe(
    `${held}\nkeep ollama: it runs as defined`,
  );
});

test('a volume that is a name for the folder of another home is refused, with the way out', async () => {
  const definition = stack([withVolume], { volumes: [boundVolume('ollama', `${home}/ollama`)] });
  expect(await planned(definition, { volumes: [nameFor('ollama', `${home}/ollama`)] })).toBe(made);
  const paths = { [`${home}/ollama`]: 'missing' } as const;
  for (const world of [{}, { paths }]) {
    expect(
      await refusal(plan(definition, { volumes: [nameFor('ollama', '/old/ollama')], ...world })),
    ).toMatch(
      /^refused: the volume ollama is a name for \/old\/ollama, and this home keeps it in .*\n.*docker volume rm ollama/,
    );
  }
});

test('a volume that was there before and keeps its bytes inside the engine needs no folder, and none is made', async () => {
  const folder = `${home}/ollama`;
  const definition = stack([withVolume], { volumes: [boundVolume('ollama', folder)] });
  expect(await planned(definition, { volumes: ['ollama'], paths: { [folder]: 'missing' } })).toBe(
    `${held}\n${made}`,
  );
  expect(await planned(definition, { volumes: ['ollama'] })).toBe(`${held}\n${made}`);
});

test('where such a volume stands beside a folder of ours that holds files, neither is chosen', async () => {
  const folder = `${home}/ollama`;
  const definition = stack([withVolume], { volumes: [boundVolume('ollama', folder)] });
  const filled = [folder];
  expect(await refusal(plan(definition, { volumes: ['ollama'], filled }))).toMatch(
    /^refused: the volume ollama keeps its bytes inside the engine, and .*\/ollama, .* holds files too\n.*aixcl stack clean --volumes ollama, .*mv .*/,
  );
  expect(await planned(definition, { volumes: [nameFor('ollama', folder)], filled })).toBe(made);
  expect(await planned(definition, { filled })).toContain('create-volume ollama');
  const external = stack([withVolume], { volumes: [volume('ollama', { external: true })] });
  expect(await planned(external, { volumes: ['ollama'], filled })).toBe(`${held}\n${made}`);
});

function nameFor(name: string, device: string) {
  const options = { type: 'none', o: 'bind', device };
  return { name, driver: 'local', options, labels: {}, mountpoint: '/x' };
}

function binding(source: string, createSource = false) {
  return service('ollama', {
    mounts: [{ kind: 'bind', source, target: '/models', readOnly: false, createSource }],
  });
}

test('a bind source of the home that is missing is made', async () => {
  const paths = { [`${home}/models`]: 'missing' };
  expect(await planned(stack([binding(`${home}/models`)]), { paths })).toBe(
    `make-directory ${home}/models: ollama mounts it\n${made}`,
  );
});

test('any other bind source that is missing is an error, and no folder appears', async () => {
  const paths = { '/typo': 'missing' };
  expect(await refusal(plan(stack([binding('/typo')]), { paths }))).toBe(
    `usage: ollama mounts /typo at /models, and there is no /typo
Mend the path in the definition, or make the folder: mkdir -p /typo`,
  );
});

test('a bind source that the definition lets the engine make is left to the engine', async () => {
  expect(await planned(stack([binding('/typo', true)]), { paths: { '/typo': 'missing' } })).toBe(made);
});

const keeper = service('keeper', {
  mounts: [{ kind: 'volume', source: 'data', target: '/data', readOnly: false, noCopy: false }],
});

test('a folder behind a volume that lies outside the home is not made: its disk may not be mounted', async () => {
  const nas = stack([keeper], { volumes: [boundVolume('data', '/mnt/nas/data')] });
  expect(await refusal(planned(nas, { paths: { '/mnt/nas/data': 'missing' } }))).toContain(
    'there is no /mnt/nas/data',
  );
});

test('a folder of the home is not made anew where the volume knows it: it was moved away', async () => {
  const own = stack([keeper], { volumes: [boundVolume('data', `${home}/data`)] });
  const paths = { [`${home}/data`]: 'missing' };
  expect(await planned(own, { paths })).toContain(`make-directory ${home}/data`);
  expect(await refusal(planned(own, { paths, volumes: [nameFor('data', `${home}/data`)] }))).toContain(
    `there is no ${home}/data`,
  );
});
