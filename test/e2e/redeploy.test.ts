import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import {
  type Aixcl,
  aixcl,
  describeEngine,
  docker,
  dockerApi,
  engineTest,
  llamaImage,
  spawnAixcl,
} from '../setup/engine-test.ts';
import { containers } from './llama-stack.ts';
import { type SmallStack, smallStack } from './small-stack.ts';

/** How soon the old container has to run again after the verdict. */
const soonMs = 10_000;

/** An image that runs `serve`, and whose health is what `health` answers. */
async function imageOf(name: string, serve: string, health = 'exit 0'): Promise<string> {
  const write = `printf '%s' '${serve}' > /serve; printf '%s' '${health}' > /health`;
  const made = await docker([
    'run',
    '-d',
    '--network',
    'none',
    '--entrypoint',
    'sh',
    llamaImage(),
    '-c',
    write,
  ]);
  const id = made.stdout.trim();
  await docker(['wait', id]);
  const { code, stderr } = await docker(['commit', '--change', 'ENTRYPOINT ["sh", "/serve"]', id, name]);
  expect(`${code} ${stderr}`).toMatch(/^0 /);
  await docker(['rm', id]);
  return name;
}

const good = 'exec sleep 1000';

function one(image: string, more: object = {}): object {
  return {
    image,
    init: true,
    restart: 'unless-stopped',
    network_mode: 'none',
    healthcheck: { test: ['CMD', 'sh', '/health'], interval: '1s', retries: 3, timeout: '20s' },
    ...more,
  };
}

/** A stack whose service `one` runs the image `good`, beside others. */
async function stackWith(others: Readonly<Record<string, object>> = {}): Promise<SmallStack> {
  const stack = await smallStack({});
  await stack.define({ one: one(await imageOf('redeploy:good', good)), ...others });
  const { code, stderr } = await start(stack);
  expect(`${code} ${stderr}`).toMatch(/^0 /);
  return stack;
}

function start(stack: SmallStack, ...more: string[]): Promise<Aixcl> {
  return aixcl([...stack.args, 'stack', 'start', ...more], { home: stack });
}

async function inspect(name = 'small-one-1') {
  return dockerApi().getContainer(name).inspect();
}

describeEngine('a redeploy', () => {
  for (const { what, serve, health, more, seconds, said } of [
    {
      what: 'exits',
      serve: 'echo no such device; exit 3',
      seconds: 30,
      said: /ended 3 times, last with exit code 3; the container before it serves again\n.*no such device/s,
    },
    {
      what: 'hangs, and so does its health check',
      serve: 'trap "" TERM; echo stuck; while :; do sleep 1; done',
      health: 'sleep 1000',
      seconds: 4,
      said: /did not become healthy within 4 s; the container before it serves again\n.*stuck/s,
    },
    {
      what: 'never gets healthy, by the word of the engine',
      serve: 'echo cold; exec sleep 1000',
      health: 'exit 1',
      seconds: 60,
      said: /is unhealthy; the container before it serves again\n.*cold/s,
    },
    {
      what: 'can not be started',
      serve: good,
      more: { user: 'nobody-knows' },
      seconds: 30,
      said: /unable to find user nobody-knows.*; the container before it serves again/s,
    },
  ].map((wish) => ({ health: 'exit 0', more: {}, ...wish }))) {
    engineTest(`to an image that ${what} goes back: exit 6, and the old container serves again`, async () => {
      await using stack = await stackWith();
      const before = await inspect();
      const image = await imageOf('redeploy:bad', serve, health);
      await stack.define({ one: one(image, more) });
      const { code, stderr } = await start(stack, '--wait-timeout', String(seconds));
      expect(`${code} ${stderr}`).toMatch(/^6 /);
      expect(stderr).toMatch(said);
      const after = await inspect();
      expect(after).toMatchObject({
        Id: before.Id,
        State: { Status: 'running' },
        HostConfig: { RestartPolicy: { Name: 'unless-stopped' } },
      });
      expect(await containers()).toEqual(['small-one-1 running']);
      const status = await aixcl([...stack.args, 'stack', 'status', '--check'], { home: stack });
      expect(status.code).toBe(0);
    });
  }

  engineTest(
    'starts the old container within ten seconds of the verdict, also where the new one ignores SIGTERM',
    async () => {
      await using stack = await stackWith();
      const before = await inspect();
      const deaf = await imageOf('redeploy:bad', 'trap "" TERM; while :; do sleep 1; done', 'exit 1');
      await stack.define({ one: one(deaf, { stop_grace_period: '60s', init: false }) });
      const { child, outcome } = spawnAixcl([...stack.args, 'stack', 'start', '--progress', 'plain'], {
        home: stack,
      });
      let verdict = 0;
      child.stderr?.on('data', (text: string) => {
        if (/unhealthy/.test(text)) verdict ||= Date.now();
      });
      expect((await outcome).code).toBe(6);
      expect(verdict).toBeGreaterThan(0);
      const { Id, State } = await inspect();
      expect(Id).toBe(before.Id);
      expect(Date.parse(State.StartedAt) - verdict).toBeLessThan(soonMs);
    },
  );

  engineTest('that is interrupted goes back within seconds: exit 130', async () => {
    await using stack = await stackWith();
    const before = await inspect();
    await stack.define({ one: one(await imageOf('redeploy:bad', 'exec sleep 1001', 'sleep 1000')) });
    const { child, outcome } = spawnAixcl([...stack.args, 'stack', 'start'], { home: stack });
    await expect.poll(containers, { timeout: 20_000 }).toContain('small-one-1 running');
    await expect.poll(async () => (await inspect()).Id, { timeout: 20_000 }).not.toBe(before.Id);
    await delay(1000);
    child.kill('SIGINT');
    const began = Date.now();
    expect((await outcome).code).toBe(130);
    expect(Date.now() - began).toBeLessThan(soonMs);
    expect((await inspect()).Id).toBe(before.Id);
    expect(await containers()).toEqual(['small-one-1 running']);
  });

  engineTest(
    'that is not waited for keeps the old container aside; the next start ends it, or goes back',
    async () => {
      await using stack = await stackWith();
      await stack.define({ one: one('redeploy:good', { environment: { A: '2' } }) });
      expect((await start(stack, '--no-wait')).code).toBe(0);
      const aside = expect.stringMatching(/^small-one-1\.aside-[0-9a-f]{12} exited$/);
      expect(await containers()).toEqual(['small-one-1 running', aside]);
      const status = await aixcl([...stack.args, 'stack', 'status'], { home: stack });
      expect(status.stdout).toMatch(/small-one-1 is to replace small-one-1\.aside-/);
      const plan = await start(stack, '--dry-run');
      expect(plan.stdout).toMatch(/^finish replace .*\nwait .*\nremove replaced small-one-1\.aside-/);
      expect((await start(stack)).code).toBe(0);
      expect(await containers()).toEqual(['small-one-1 running']);

      const before = await inspect();
      await stack.define({ one: one(await imageOf('redeploy:bad', 'exec sleep 1001', 'exit 1')) });
      expect((await start(stack, '--no-wait')).code).toBe(0);
      expect((await start(stack)).code).toBe(6);
      expect((await inspect()).Id).toBe(before.Id);
      expect(await containers()).toEqual(['small-one-1 running']);
    },
  );

  engineTest(
    'that goes back leaves its dependents as they are; what shares its network has that again',
    async () => {
      const on = (restart: boolean) => ({ one: { condition: 'service_started', restart } });
      const net = { network_mode: undefined, networks: ['small'] };
      const more = { networks: { small: {} } };
      await using stack = await smallStack({});
      const define = (image: string) =>
        stack.define(
          {
            one: one(image, net),
            two: one('redeploy:good', { depends_on: on(true) }),
            three: one('redeploy:good', { network_mode: 'service:one' }),
          },
          more,
        );
      await define(await imageOf('redeploy:good', good));
      expect((await start(stack)).code).toBe(0);
      const names = ['small-two-1', 'small-three-1'];
      const before = await Promise.all(names.map(inspect));
      await define(await imageOf('redeploy:bad', 'exit 3'));
      expect((await start(stack)).code).toBe(6);
      const after = await Promise.all(names.map(inspect));
      expect(after.map(({ Id }) => Id)).toEqual(before.map(({ Id }) => Id));
      expect(after[0]?.State.StartedAt).toBe(before[0]?.State.StartedAt);
      const { stdout } = await docker(['exec', 'small-three-1', 'cat', '/proc/net/dev']);
      expect(stdout).toContain('eth0');
      expect((await start(stack)).code).toBe(6);
    },
  );

  engineTest('takes an anonymous volume along, and back', async () => {
    await using stack = await stackWith();
    const holding = { volumes: ['/data'] };
    await stack.define({ one: one('redeploy:good', holding) });
    expect((await start(stack)).code).toBe(0);
    await docker(['exec', 'small-one-1', 'sh', '-c', 'echo precious > /data/file']);
    await stack.define({
      one: one(await imageOf('redeploy:bad', 'echo more >> /data/file; exit 3'), holding),
    });
    expect((await start(stack)).code).toBe(6);
    const read = await docker(['exec', 'small-one-1', 'cat', '/data/file']);
    expect(read.stdout).toMatch(/^precious\nmore\n/);
    await stack.define({ one: one('redeploy:good', { ...holding, environment: { A: '2' } }) });
    expect((await start(stack)).code).toBe(0);
    expect((await docker(['exec', 'small-one-1', 'cat', '/data/file'])).stdout).toMatch(/^precious\n/);
  });
});
