/** Fault 43, and 1 and 17 of a redeploy: one that fails, is killed or loses its engine anywhere ends with one container, the right one. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { type SmallStack, sleeper, smallStack } from '../../e2e/small-stack.ts';
import { type EngineProxy, engineProxy } from '../../setup/engine-proxy.ts';
import {
  type Aixcl,
  aixcl,
  compose,
  describeEngine,
  dockerApi,
  engineTest,
  spawnAixcl,
  testEngine,
} from '../../setup/engine-test.ts';
import { sweepAll } from '../lab/fault-test.ts';

const name = 'small-one-1';
/** A part of the steps will do where all are not asked for. */
const stride = sweepAll ? 1 : 3;

/** A service that is healthy, or never is; its restart policy is told to come back with the daemon. */
function service(round: number, { healthy = true } = {}): object {
  return sleeper({
    environment: { ROUND: String(round) },
    restart: 'always',
    healthcheck: healthy
      ? { test: ['CMD', 'true'], interval: '60s' }
      : { test: ['CMD', 'false'], interval: '100ms', retries: 1 },
  });
}

interface Look {
  readonly name: string;
  readonly state: string;
  readonly round: string | undefined;
  readonly restart: string | undefined;
}

async function look(): Promise<Look[]> {
  const all = await dockerApi().listContainers({ all: true });
  const found = await Promise.all(all.map(({ Id }) => inspectIfThere(Id)));
  return found.flat().map(({ Name, State, Config, HostConfig }) => ({
    name: Name.slice(1),
    state: State.Status,
    round: Config.Env?.find((entry) => entry.startsWith('ROUND='))?.slice(6),
    restart: HostConfig.RestartPolicy?.Name,
  }));
}

/** A killed command's last request may still be under way. */
async function inspectIfThere(id: string) {
  try {
    return [await dockerApi().getContainer(id).inspect()];
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return [];
    throw error;
  }
}

const only = (round: number) => [{ name, state: 'running', round: String(round), restart: 'always' }];

function run(stack: SmallStack, ...args: string[]): Promise<Aixcl> {
  return aixcl([...stack.args, ...args], { home: stack });
}

async function must(stack: SmallStack, ...args: string[]): Promise<void> {
  const { code, stderr } = await run(stack, ...args);
  expect(`${args.join(' ')}: ${code} ${stderr}`).toMatch(new RegExp(`^${args.join(' ')}: 0 `));
}

interface Cut {
  /** True: it lived to its end. */
  readonly lived: boolean;
  readonly changes: EngineProxy['changes'];
}

/** Starts the stack, and kills that command once the engine has made its nth change of a container. */
async function killedAfter(nth: number, stack: SmallStack): Promise<Cut> {
  let kill = () => {};
  let killed = false;
  await using proxy = await engineProxy((made) => {
    if (made !== nth) return;
    killed = true;
    kill();
  });
  const { child, outcome } = spawnAixcl([...stack.args, 'stack', 'start'], {
    home: stack,
    env: { DOCKER_HOST: proxy.host },
  });
  kill = () => child.kill('SIGKILL');
  await outcome;
  return { lived: !killed, changes: proxy.changes };
}

/** What takes two of the service to run at once. */
async function expectOneAtMost(): Promise<void> {
  const running = (await look()).filter(({ state }) => state === 'running');
  expect(running.length, JSON.stringify(running)).toBeLessThanOrEqual(1);
}

async function restartDaemon(): Promise<void> {
  await testEngine().kill();
  await testEngine().start();
  // What comes back by its policy does so a moment later.
  await delay(1000);
}

const between = [
  ['nothing else', async () => {}],
  ['the daemon killed and started again', restartDaemon],
] as const;

describeEngine('a redeploy', () => {
  for (const [what, happen] of between) {
    engineTest(
      `1: killed at every step, with ${what}, ends with the next start`,
      async () => {
        await using stack = await smallStack({ one: service(0) });
        await must(stack, 'stack', 'start');
        let lived = false;
        for (let nth = 0; !lived; nth += stride) {
          await stack.define({ one: service(nth + 1) });
          const cut = await killedAfter(nth, stack);
          lived = cut.lived;
          if (!lived) await happen();
          await expectOneAtMost();
          await must(stack, 'stack', 'start');
          expect({ nth, after: cut.changes.at(-1), found: await look() }).toEqual({
            nth,
            after: cut.changes.at(-1),
            found: only(nth + 1),
          });
        }
        const { json } = await run(stack, 'stack', 'start', '--format', 'json');
        expect(json.at(-1)).toMatchObject({ type: 'result', changed: false });
      },
      600_000,
    );

    engineTest(
      `1, 43: killed at every step, also of going back, with ${what}: the next start goes back, or on where it is told otherwise`,
      async () => {
        await using stack = await smallStack({ one: service(0) });
        await must(stack, 'stack', 'start');
        let lived = false;
        let was = 0;
        for (let nth = 0; !lived; nth += stride) {
          await stack.define({ one: service(-1, { healthy: false }) });
          const cut = await killedAfter(nth, stack);
          lived = cut.lived;
          if (!lived) await happen();
          await expectOneAtMost();
          // Every other time the same once more, else another definition at once.
          if (nth % 2 === 0) {
            expect(await run(stack, 'stack', 'start')).toMatchObject({ code: 6 });
            expect({ nth, found: await look() }).toEqual({ nth, found: only(was) });
          }
          was = nth + 1;
          await stack.define({ one: service(was) });
          await must(stack, 'stack', 'start');
          expect({ nth, found: await look() }).toEqual({ nth, found: only(was) });
        }
      },
      600_000,
    );
  }

  engineTest(
    '1: killed, and then docker compose up, ends with the next start',
    async () => {
      await using stack = await smallStack({ one: service(0) });
      await must(stack, 'stack', 'start');
      for (const nth of sweepAll ? [3, 4, 5, 6] : [4, 6]) {
        await stack.define({ one: service(nth) });
        expect((await killedAfter(nth, stack)).lived).toBe(false);
        const { code, stderr } = await compose([...stack.args, 'up', '--detach'], { env: stack.env });
        expect(`${code} ${stderr}`).toMatch(/^0 /);
        await must(stack, 'stack', 'start');
        expect({ nth, found: await look() }).toEqual({ nth, found: only(nth) });
      }
    },
    600_000,
  );

  engineTest(
    '17: a daemon killed while the new one is waited for does not bring the old one up beside it',
    async () => {
      await using stack = await smallStack({ one: service(0) });
      await must(stack, 'stack', 'start');
      const slow = { test: ['CMD', 'test', '-e', '/tmp/up'], interval: '60s' };
      await stack.define({ one: { ...service(1), healthcheck: slow } });
      const { outcome } = spawnAixcl([...stack.args, 'stack', 'start'], { home: stack });
      await expect
        .poll(async () => (await look()).map(({ state }) => state).sort(), { timeout: 20_000 })
        .toEqual(['exited', 'running']);
      await testEngine().kill();
      expect((await outcome).code).toBe(10);
      await testEngine().start();
      await delay(1000);
      expect((await look()).map(({ state }) => state).sort()).toEqual(['exited', 'running']);
      await stack.define({ one: service(2) });
      await must(stack, 'stack', 'start');
      expect(await look()).toEqual(only(2));
    },
  );
});
