import { existsSync } from 'node:fs';
import { expect } from 'vitest';
import { aixcl, describeEngine, docker, dockerApi, engineTest, llamaImage } from '../setup/engine-test.ts';
import { containers, homeWithModels, ok, untilServed } from './llama-stack.ts';

const prefixed = 'a9f302029b81_llama-server';
const decoys = ['not-ollama', 'x_ollama', 'dead_ollama', 'my-llama-server', 'beef_llama-server'];

async function runByHand(name: string, ...more: string[]): Promise<void> {
  const args = [
    'run',
    '-d',
    '--name',
    name,
    '--network',
    'none',
    '--entrypoint',
    'sleep',
    ...more,
    llamaImage(),
    '1000',
  ];
  const { code, stderr } = await docker(args);
  expect(code, stderr).toBe(0);
}

describeEngine('a container', () => {
  engineTest(
    'under a hash prefix is found by status, logs and restart, which gives it its name back',
    async () => {
      await using home = await homeWithModels();
      await ok(home, 'stack', 'start', 'llama-server');
      await docker(['rename', 'llama-server', prefixed]);

      const status = await ok(home, 'service', 'status', 'llama-server', '--format', 'json');
      expect(status.json[0]).toMatchObject({
        services: [{ container: prefixed, matchedBy: 'labels', health: 'healthy' }],
      });
      expect((await ok(home, 'service', 'logs', 'llama-server')).stdout).toContain('Active Model: a.gguf');
      await ok(home, 'service', 'restart', 'llama-server');
      expect(await containers()).toEqual(['llama-server running']);
      await untilServed(home, 'a.gguf');
    },
  );

  engineTest('under a hash prefix gets its name back by stack start, and is not made anew', async () => {
    await using home = await homeWithModels();
    await ok(home, 'stack', 'start', 'llama-server');
    const { Id } = await dockerApi().getContainer('llama-server').inspect();
    await docker(['rename', 'llama-server', `b2f302029b81_${prefixed}`]);
    await ok(home, 'stack', 'start', 'llama-server');
    expect((await dockerApi().getContainer('llama-server').inspect()).Id).toBe(Id);
  });

  engineTest('that only looks like one of ours is never stopped, renamed or removed', async () => {
    await using home = await homeWithModels();
    for (const name of decoys) await runByHand(name);
    const before = await containers();
    await ok(home, 'stack', 'start', 'llama-server');
    await ok(home, 'stack', 'status');
    await ok(home, 'stack', 'restart');
    await ok(home, 'stack', 'stop');
    expect((await containers()).filter((line) => !line.startsWith('llama-server '))).toEqual(before);
    const ollama = await ok(home, 'service', 'status', 'ollama', '--format', 'json');
    expect(ollama.json[0]).toMatchObject({ services: [{ state: 'absent', container: null }] });
  });

  engineTest(
    'of our name that someone started by hand is refused, then adopted with its volume',
    async () => {
      await using home = await homeWithModels();
      await docker(['volume', 'create', 'my-models']);
      await runByHand('llama-server', '--init', '-v', 'my-models:/data', '--restart', 'always');

      const refused = await aixcl(['stack', 'start', 'llama-server'], { home });
      expect(refused.code).toBe(3);
      expect(refused.stderr).toContain('--adopt');
      expect(await containers()).toEqual(['llama-server running']);

      await ok(home, 'stack', 'start', 'llama-server', '--adopt');
      const { Mounts, Config } = await dockerApi().getContainer('llama-server').inspect();
      expect(Mounts.find(({ Destination }) => Destination === '/data')?.Name).toBe('my-models');
      expect(Config.Labels['com.docker.compose.service']).toBe('llama-server');
      expect(await containers()).toContainEqual(
        expect.stringMatching(/^llama-server\.before-aixcl-[0-9a-f]{12} exited$/),
      );
      await untilServed(home, 'a.gguf');

      const again = await ok(home, 'stack', 'start', 'llama-server', '--format', 'json');
      expect(again.json.at(-1)).toMatchObject({ type: 'result', changed: false });
    },
  );

  engineTest('that keeps /models in a volume of its own is refused, and nothing is changed', async () => {
    await using home = await homeWithModels();
    await docker(['volume', 'create', 'mine']);
    await runByHand('llama-server', '--init', '-v', 'mine:/models');
    const outcome = await aixcl(['stack', 'start', 'llama-server', '--adopt'], { home });
    expect(outcome.code).toBe(3);
    expect(outcome.stderr).toContain('the volume mine');
    expect(existsSync(`${home.root}/compose.home.yaml`)).toBe(false);
    expect(await containers()).toEqual(['llama-server running']);
  });

  engineTest('is not chosen where two could be the service; both are named', async () => {
    await using home = await homeWithModels();
    await ok(home, 'stack', 'start', 'llama-server');
    const labels = ['project=aixcl', 'service=llama-server', 'oneoff=False'].flatMap((label) => [
      '--label',
      `com.docker.compose.${label}`,
    ]);
    await runByHand('other', ...labels);
    for (const command of [
      ['service', 'restart', 'llama-server'],
      ['service', 'stop', 'llama-server'],
      ['stack', 'start', 'llama-server'],
    ]) {
      const outcome = await aixcl(command, { home });
      expect(outcome.code).toBe(3);
      expect(outcome.stderr).toMatch(/llama-server.*other|other.*llama-server/s);
    }
    expect(await containers()).toEqual(['llama-server running', 'other running']);
    expect((await ok(home, 'stack', 'status')).stdout).toContain('2 containers could be llama-server');
  });

  engineTest('of another home is left alone: exit 3, with the home to use', async () => {
    await using home = await homeWithModels();
    await ok(home, 'stack', 'start', 'llama-server');
    const env = { ...home.env, AIXCL_HOME: `${home.root}-other` };
    for (const command of [
      ['stack', 'start'],
      ['stack', 'stop'],
      ['stack', 'status'],
    ]) {
      const outcome = await aixcl(command, { home, env });
      expect(outcome.code).toBe(3);
      expect(outcome.stderr).toContain(`AIXCL_HOME=${home.root} `);
    }
    expect(await containers()).toEqual(['llama-server running']);
  });
});
