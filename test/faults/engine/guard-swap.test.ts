/** Fault 21: a further volume for the guard to hold, while clean-ups go on and the command is killed. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import {
  aixcl,
  describeEngine,
  docker,
  dockerApi,
  engineTest,
  llamaImage,
  makeHome,
  resetEngine,
  spawnAixcl,
  type TestHome,
  testEngine,
} from '../../setup/engine-test.ts';
import { sweepAll } from '../lab/fault-test.ts';

const minutes = 60_000;
const content = 'what nobody may lose';

describeEngine('21: a guard that gets a further volume to hold', () => {
  engineTest(
    'holds the first one all the while, whatever goes over it',
    async () => {
      await using swaps = await beginning();
      await using _loop = cleaning();
      for (let count = 2; count <= 5; count += 1) {
        // A prune may take what is just being made; that start fails, and is run again.
        await swaps.start(count);
        expect(await swaps.first()).toBe(content);
      }
      await swaps.expectGuarded(5);
    },
    3 * minutes,
  );

  engineTest(
    'holds the first one also when the command is killed, and the next settles it',
    async () => {
      await using swaps = await beginning();
      await using _loop = cleaning();
      const kills = sweepAll ? 40 : 8;
      for (let index = 0; index < kills; index += 1) {
        const count = index + 2;
        const { child, outcome } = spawnAixcl(await swaps.args(count), { home: swaps.home });
        await delay(200 + (index * 1200) / kills);
        child.kill('SIGKILL');
        await outcome;
        expect(await swaps.first()).toBe(content);
        await swaps.start(count);
        await swaps.expectGuarded(count);
      }
    },
    10 * minutes,
  );
});

interface Swaps extends AsyncDisposable {
  readonly home: TestHome;
  /** Of the start of a service with the volume `kept-COUNT`. */
  args(count: number): Promise<string[]>;
  start(count: number): Promise<void>;
  /** What lies in the first volume; undefined once it is lost. */
  first(): Promise<string | undefined>;
  /** One guard stands, under its name, and holds so many volumes. */
  expectGuarded(count: number): Promise<void>;
}

/** A volume with something in it that the guard alone holds. */
async function beginning(): Promise<Swaps> {
  await resetEngine();
  const home = await makeHome();
  const folder = await mkdtemp(join(tmpdir(), 'aixcl-swap-'));
  const swaps: Swaps = {
    home,
    async args(count) {
      const file = join(folder, `${count}.yaml`);
      await writeFile(file, definition(count));
      return ['--file', file, '--project-name', 'swap', 'stack', 'start', '--wait-timeout', '10'];
    },
    async start(count) {
      let said = '';
      for (let tries = 0; tries < 20; tries += 1) {
        const { code, stderr } = await aixcl(await swaps.args(count), { home });
        if (code === 0) return;
        said = stderr;
      }
      throw new Error(`the start did not succeed: ${said}`);
    },
    async first() {
      const { code, stdout } = await docker(['volume', 'inspect', '--format', '{{.Mountpoint}}', 'kept-1']);
      return code === 0 ? readFile(join(stdout.trim(), 'content'), 'utf8') : undefined;
    },
    async expectGuarded(count) {
      const guards = await dockerApi().listContainers({ all: true, filters: { label: ['io.aixcl.guard'] } });
      const names = Array.from({ length: count }, (_, index) => `kept-${index + 1}`).sort();
      expect(guards.map(({ Names, State }) => [Names, State])).toEqual([[['/aixcl-guard'], 'running']]);
      expect(guards.flatMap(({ Mounts }) => Mounts.map(({ Name }) => Name)).sort()).toEqual(names);
    },
    async [Symbol.asyncDispose]() {
      await home[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await swaps.start(1);
  const { stdout } = await docker(['volume', 'inspect', '--format', '{{.Mountpoint}}', 'kept-1']);
  await writeFile(join(stdout.trim(), 'content'), content);
  expect((await docker(['rm', '--force', 'service-1'])).code).toBe(0);
  return swaps;
}

/** JSON is YAML too. Each service stands for a stack of its own, and uses one volume. */
function definition(count: number): string {
  const service = {
    image: llamaImage(),
    container_name: `service-${count}`,
    entrypoint: ['sleep', '1000'],
    init: true,
    network_mode: 'none',
    volumes: [`kept-${count}:/data`],
  };
  const volume = { name: `kept-${count}`, labels: { fresh: 'yes' } };
  return JSON.stringify({
    services: { [`service-${count}`]: service },
    volumes: { [`kept-${count}`]: count === 1 ? { name: 'kept-1' } : volume },
  });
}

/** Clean-ups of the engine, one after the other, until it is disposed. They leave alone what has just been made. */
function cleaning(): AsyncDisposable {
  const script = `while :; do
    docker volume rm --force kept-1
    docker volume prune --force --filter label!=fresh
    docker container prune --force
  done`;
  const child = spawn('sh', ['-c', script], {
    env: { ...process.env, DOCKER_HOST: testEngine().host },
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
