/** Fault 28: containers whose names only look like a service's are left as they are, by whatever is done to the stack. */
import { expect } from 'vitest';
import {
  aixcl,
  describeEngine,
  docker,
  dockerApi,
  engineTest,
  llamaImage,
  makeHome,
  ollamaImage,
  resetEngine,
} from '../../setup/engine-test.ts';

const names = [
  'not-ollama',
  'x_ollama',
  'dead_ollama',
  'my_beef_ollama',
  'my-postgres',
  'ollama-test',
  'deadbeefdead_ollama_x',
];

async function run(...args: string[]): Promise<void> {
  const { code, stderr } = await docker(args);
  expect({ args, code, stderr }).toMatchObject({ args, code: 0 });
}

/** All that anybody could have changed: name, image, state, since when, mounts and restart policy. */
async function decoys(): Promise<unknown[]> {
  const own = { all: true, filters: { label: ['decoy'] } };
  const found = await dockerApi().listContainers(own);
  return Promise.all(
    found.map(async ({ Id }) => {
      const { Name, Image, State, Mounts, HostConfig } = await dockerApi().getContainer(Id).inspect();
      const { Status, StartedAt, FinishedAt } = State;
      return { Id, Name, Image, Status, StartedAt, FinishedAt, Mounts, policy: HostConfig.RestartPolicy };
    }),
  );
}

describeEngine('a container that only looks like Ollama’s', () => {
  engineTest('is never touched, running or not, whatever is done to the stack', async () => {
    await resetEngine();
    await using home = await makeHome({ ollama: await ollamaImage() });
    for (const [index, name] of names.entries()) {
      const make = [
        '--name',
        name,
        '--label',
        'decoy',
        '--network',
        'none',
        '-v',
        `data-of-${index}:/root/.ollama`,
      ];
      const sleeps = ['--init', '--entrypoint', 'sleep', llamaImage(), '1000'];
      // In each state that one is found in: running, stopped, never started.
      await run(index % 3 === 2 ? 'create' : 'run', ...(index % 3 === 2 ? [] : ['-d']), ...make, ...sleeps);
      if (index % 3 === 1) await run('stop', name);
    }
    const before = await decoys();
    expect(before).toHaveLength(names.length);

    for (const [args, code] of [
      [['service', 'restart', 'ollama'], 4],
      [['service', 'stop', 'ollama'], 0],
      [['service', 'logs', 'ollama'], 4],
      [['service', 'start', 'ollama'], 0],
      [['stack', 'restart'], 0],
      [['service', 'restart', 'ollama'], 0],
      [['service', 'start', 'ollama', '--adopt'], 0],
      [['stack', 'stop'], 0],
      [['stack', 'clean', '--yes'], 0],
      [['service', 'start', 'ollama'], 0],
    ] as const) {
      const outcome = await aixcl(args, { home });
      expect({ args, code: outcome.code }, outcome.stderr).toEqual({ args, code });
      expect(await decoys()).toEqual(before);
    }
    const { json } = await aixcl(['stack', 'status', '--format', 'json'], { home });
    const [{ services }] = json as unknown as [{ services: { container: string; condition: unknown }[] }];
    expect(services.find(({ container }) => container === 'ollama')).toMatchObject({
      matchedBy: 'labels',
      condition: null,
    });
    for (const index of names.keys()) await run('volume', 'inspect', `data-of-${index}`);
  });
});
