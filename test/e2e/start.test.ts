import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { aixcl, describeEngine, docker, dockerApi, engineTest, spawnAixcl } from '../setup/engine-test.ts';
import { containers } from './llama-stack.ts';
import { type SmallStack, shell, sleeper, smallStack } from './small-stack.ts';

const start = (stack: SmallStack, ...more: string[]) =>
  aixcl([...stack.args, 'stack', 'start', ...more], { home: stack });

async function idOf(name: string): Promise<string> {
  return (await dockerApi().getContainer(name).inspect()).Id;
}

describeEngine('stack start', () => {
  engineTest('does nothing where all is as defined, and makes anew only what drifted', async () => {
    await using stack = await smallStack({ one: sleeper(), two: sleeper() });
    expect((await start(stack)).code).toBe(0);
    const [one, two] = [await idOf('small-one-1'), await idOf('small-two-1')];

    const again = await start(stack, '--format', 'json');
    expect(again.json.at(-1)).toMatchObject({ type: 'result', changed: false });
    await stack.define({
      one: sleeper({ labels: { new: 'label' } }),
      two: sleeper({ environment: { NEW: '1' } }),
    });
    const dry = await start(stack, '--dry-run');
    expect(dry.stdout).toMatch(/keep small-one-1.*\nreplace small-two-1/);
    expect(await idOf('small-two-1')).toBe(two);
    expect((await start(stack)).code).toBe(0);
    expect(await idOf('small-one-1')).toBe(one);
    expect(await idOf('small-two-1')).not.toBe(two);
    expect(await containers()).toEqual(['small-one-1 running', 'small-two-1 running']);
  });

  engineTest('makes a container anew when a script that it mounts was replaced', async () => {
    await using stack = await smallStack({});
    const script = join(stack.root, 'script.sh');
    const mount = { type: 'bind', source: script, target: '/script.sh', read_only: true };
    await writeFile(script, 'echo first; exec sleep 1000\n');
    await stack.define({ one: sleeper({ entrypoint: ['sh', '/script.sh'], volumes: [mount] }) });
    await start(stack);
    await writeFile(script, 'echo second; exec sleep 1000\n');
    expect((await start(stack, '--dry-run')).stdout).toContain('script');
    await start(stack);
    expect((await docker(['logs', 'small-one-1'])).stdout).toBe('second\n');
  });

  engineTest('refuses a bind source that is not there, and no engine makes a folder of it', async () => {
    await using stack = await smallStack({});
    const source = join(stack.root, '..', `missing-${process.pid}`);
    await stack.define({ one: sleeper({ volumes: [`${source}:/data`] }) });
    const outcome = await start(stack);
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toContain(`missing-${process.pid}`);
    expect(existsSync(source)).toBe(false);
    expect(await containers()).toEqual([]);
  });

  engineTest('starts a service when those that it depends on are where it wants them', async () => {
    await using stack = await smallStack({
      web: sleeper({
        depends_on: {
          store: { condition: 'service_healthy' },
          seed: { condition: 'service_completed_successfully' },
        },
      }),
      store: shell('sleep 1; touch /tmp/ok; exec sleep 1000', {
        healthcheck: { test: ['CMD', 'test', '-f', '/tmp/ok'], interval: '60s' },
      }),
      seed: shell('exit 0', { restart: 'no' }),
    });
    const began = performance.now();
    expect(await start(stack)).toMatchObject({ code: 0 });
    // The engine's own first probe would come after 60 s.
    expect(performance.now() - began).toBeLessThan(20_000);
    const startedAt = async (name: string) =>
      Date.parse((await dockerApi().getContainer(name).inspect()).State.StartedAt);
    expect((await startedAt('small-web-1')) - (await startedAt('small-store-1'))).toBeGreaterThan(900);
  });

  engineTest(
    'ends with 6 and the last lines when a service does not become healthy; others run',
    async () => {
      await using stack = await smallStack({
        good: sleeper(),
        bad: shell('echo this is why; exit 3', { restart: 'no', healthcheck: { test: 'true' } }),
        after: sleeper({ depends_on: { bad: { condition: 'service_healthy' } } }),
      });
      const outcome = await start(stack);
      expect(outcome.code).toBe(6);
      expect(outcome.stderr).toContain('this is why');
      expect(await containers()).toEqual([
        'small-after-1 created',
        'small-bad-1 exited',
        'small-good-1 running',
      ]);
    },
  );

  engineTest('leaves the rest up when an image can not be had: exit 5', async () => {
    await using stack = await smallStack({ good: sleeper(), none: sleeper({ image: 'localhost:1/none:1' }) });
    const outcome = await start(stack);
    expect(outcome.code).toBe(5);
    expect(outcome.stderr).toContain('localhost:1/none:1');
    expect(await containers()).toEqual(['small-good-1 running']);
  });

  engineTest('names who holds a port that it needs', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const published = { network_mode: 'bridge', ports: [`127.0.0.1:${port}:80`] };
    await using stack = await smallStack({
      one: sleeper({ ...published, network_mode: undefined, networks: ['default'] }),
    });
    const outcome = await start(stack);
    server.close();
    expect(outcome.code).toBe(3);
    expect(outcome.stderr).toContain(`port ${port}`);
    expect(outcome.stderr).toContain(`pid ${process.pid}`);
    expect(await containers()).toEqual([]);
  });

  engineTest('stopped by Ctrl-C ends with 130, and the next start converges', async () => {
    const slow = () =>
      shell('sleep 4; touch /tmp/ok; exec sleep 1000', {
        healthcheck: { test: ['CMD', 'test', '-f', '/tmp/ok'], interval: '1s', retries: 60 },
      });
    await using stack = await smallStack({
      one: slow(),
      two: sleeper({ depends_on: { one: { condition: 'service_healthy' } } }),
    });
    for (const wait of [50, 400, 900, 1500]) {
      const { child, outcome } = spawnAixcl([...stack.args, 'stack', 'start'], { home: stack });
      await delay(wait);
      child.kill('SIGINT');
      const { code, stderr } = await outcome;
      expect([0, 130], stderr).toContain(code);
    }
    const { child, outcome } = spawnAixcl([...stack.args, 'stack', 'start'], { home: stack });
    await delay(700);
    child.kill('SIGKILL');
    await outcome;
    expect(await start(stack)).toMatchObject({ code: 0 });
    expect(await containers()).toEqual(['small-one-1 running', 'small-two-1 running']);
  });

  engineTest('writes neither colour nor spinner off a terminal', async () => {
    await using stack = await smallStack({ one: sleeper() });
    const { stdout, stderr } = await start(stack);
    expect(`${stdout}${stderr}`).not.toMatch(/\x1b|\r|[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/);
  });

  engineTest('keeps anonymous volumes when it makes a container anew', async () => {
    await using stack = await smallStack({ one: sleeper({ volumes: ['/data'] }) });
    await start(stack);
    await docker(['exec', 'small-one-1', 'sh', '-c', 'echo kept > /data/file']);
    await stack.define({ one: sleeper({ volumes: ['/data'], environment: { NEW: '1' } }) });
    expect(await start(stack)).toMatchObject({ code: 0 });
    expect((await docker(['exec', 'small-one-1', 'cat', '/data/file'])).stdout).toBe('kept\n');
  });
});

describeEngine('a stack whose services share a network', () => {
  engineTest('comes up again after the one that owns it was made anew', async () => {
    const guest = { network_mode: 'service:owner' };
    await using stack = await smallStack({ owner: sleeper(), guest: sleeper(guest) });
    expect(await start(stack)).toMatchObject({ code: 0 });
    await stack.define({ owner: sleeper({ environment: { NEW: '1' } }), guest: sleeper(guest) });
    expect(await start(stack)).toMatchObject({ code: 0 });
    expect((await start(stack, '--format', 'json')).json.at(-1)).toMatchObject({ changed: false });
    await docker(['rm', '-f', 'small-owner-1']);
    expect(await start(stack)).toMatchObject({ code: 0 });
    expect(await containers()).toEqual(['small-guest-1 running', 'small-owner-1 running']);
  });
});

describeEngine('a service without a health check', () => {
  engineTest('that ends again and again is no success', async () => {
    await using stack = await smallStack({ one: shell('exit 3', { restart: 'always' }) });
    expect(await start(stack)).toMatchObject({ code: 6 });
  });
});

describeEngine('a paused container', () => {
  engineTest('goes on with the next start', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    server.close();
    await using stack = await smallStack({
      one: sleeper({ network_mode: undefined, ports: [`127.0.0.1:${port}:80`] }),
    });
    await start(stack);
    await docker(['pause', 'small-one-1']);
    expect(await start(stack)).toMatchObject({ code: 0 });
    expect(await containers()).toEqual(['small-one-1 running']);
  });
});
