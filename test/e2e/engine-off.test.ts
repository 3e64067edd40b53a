import { expect } from 'vitest';
import { aixcl, describeEngine, engineTest, makeHome } from '../setup/engine-test.ts';

const commands = [
  ['stack', 'start'],
  ['stack', 'stop'],
  ['stack', 'restart'],
  ['stack', 'status'],
  ['stack', 'logs'],
  ['service', 'start', 'llama-server'],
  ['service', 'stop', 'llama-server'],
  ['service', 'restart', 'llama-server'],
  ['service', 'status', 'llama-server'],
  ['service', 'logs', 'llama-server'],
  ['up'],
  ['down'],
  ['ps'],
  ['status'],
  ['logs'],
];

describeEngine('with the engine off', () => {
  for (const command of commands) {
    engineTest(`aixcl ${command.join(' ')} exits with 10 within 2 s and says what to do`, async () => {
      await using home = await makeHome();
      const began = performance.now();
      const outcome = await aixcl(command, { home, env: { DOCKER_HOST: `unix://${home.root}/none.sock` } });
      expect(outcome.code).toBe(10);
      expect(performance.now() - began).toBeLessThan(2000);
      expect(outcome.stderr).toMatch(/^next: .*systemctl start docker/m);
      expect(outcome.stdout).toBe('');
    });
  }

  engineTest('the error is one JSON object with --format json', async () => {
    await using home = await makeHome();
    const outcome = await aixcl(['stack', 'status', '--format', 'json'], {
      home,
      env: { DOCKER_HOST: `unix://${home.root}/none.sock` },
    });
    expect(JSON.parse(outcome.stderr)).toMatchObject({
      type: 'error',
      code: 'engineUnreachable',
      hint: expect.any(String),
    });
  });

  engineTest('models are listed all the same', async () => {
    await using home = await makeHome();
    const outcome = await aixcl(['models', 'list'], {
      home,
      env: { DOCKER_HOST: `unix://${home.root}/none.sock` },
    });
    expect(outcome.code).toBe(0);
  });
});
