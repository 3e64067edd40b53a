import { afterEach, expect } from 'vitest';
import {
  compose,
  currentTestEngine,
  describeEngine,
  docker,
  engineTest,
  freePort,
  llamaImage,
  type PrivateEngine,
  resetEngine,
  testEngine,
} from '../setup/engine-test.ts';

describeEngine("the tests' own engine", () => {
  afterEach(() => resetEngine());

  engineTest(
    'serves a container on a port of this machine, for the engine of this distribution',
    async () => {
      await servesPort(testEngine());
    },
  );

  engineTest('serves a container on a port of this machine, for a current engine', async () => {
    const engine = await currentTestEngine();
    const { Version } = await engine.api.version();
    expect(Number(Version.split('.')[0])).toBeGreaterThanOrEqual(28);
    await servesPort(engine);
    await resetEngine(engine);
  });

  engineTest('comes back after kill -9', async () => {
    const engine = testEngine();
    await docker(['network', 'create', 'kept']);
    await engine.kill();
    expect(engine.pid).toBeUndefined();
    await engine.start();
    expect((await docker(['network', 'inspect', 'kept'])).code).toBe(0);
  });

  engineTest('is empty after a reset, but for the llama-server image', async () => {
    await docker(['network', 'create', 'gone']);
    await docker(['volume', 'create', 'gone']);
    await docker([
      'run',
      '--detach',
      '--init',
      '--network',
      'gone',
      '--entrypoint',
      'sleep',
      llamaImage(),
      '60',
    ]);
    await docker(['rmi', '--force', llamaImage()]);
    await resetEngine();
    expect((await docker(['ps', '--all', '--quiet'])).stdout).toBe('');
    expect((await docker(['volume', 'ls', '--quiet'])).stdout).toBe('');
    expect((await docker(['network', 'ls', '--filter', 'type=custom', '--quiet'])).stdout).toBe('');
    expect((await docker(['image', 'inspect', llamaImage()])).code).toBe(0);
  });

  engineTest('is what Compose works on', async () => {
    const version = await compose(['version', '--short']);
    expect(version.stdout).toMatch(/^2\./);
    expect((await compose(['ls'])).code).toBe(0);
  });
});

async function servesPort(engine: PrivateEngine): Promise<void> {
  const port = await freePort();
  await docker(['network', 'create', 'here'], { engine });
  const publish = `127.0.0.1:${port}:8080`;
  const listen = ['--host', '0.0.0.0', '--port', '8080'];
  const run = [
    'run',
    '--detach',
    '--init',
    '--network',
    'here',
    '--publish',
    publish,
    llamaImage(),
    ...listen,
  ];
  expect(await docker(run, { engine })).toMatchObject({ code: 0 });
  const status = () =>
    fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(1000) }).then(
      (response) => response.status,
      () => 0,
    );
  await expect.poll(status, { timeout: 20_000 }).toBe(200);
}
