/** Fault 1 of `stack clean --volumes` and of what brings a volume back: killed anywhere, no byte is lost, and the same again ends it. */
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect } from 'vitest';
import { stringify } from 'yaml';
import { fillVolume, portrait } from '../../../src/adapters/volumes/test-volume.ts';
import { anyChange, engineProxy } from '../../setup/engine-proxy.ts';
import {
  describeEngine,
  docker,
  dockerApi,
  engineTest,
  llamaImage,
  makeHome,
  resetEngine,
  type TestHome,
  testEngine,
} from '../../setup/engine-test.ts';
import { withJson } from '../../setup/process.ts';
import { aixcl, type Run, type RunOptions, startAixcl } from '../lab/aixcl.ts';
import { some, sweepAll } from '../lab/fault-test.ts';
import { pointsOf } from '../lab/inject.ts';
import { contentOf } from '../lab/oracle.ts';
import setup, { obstacleVariable } from '../lab/setup.ts';

const clean = ['stack', 'clean', '--volumes', 'data', '--confirm', 'data', '--yes'];

/** A stack of one service over a volume that is a name for a folder, or lies inside the engine. */
interface Scene extends TestHome {
  readonly vault: string;
  /** All that the volume holds, read from its disk. */
  look(): Promise<string>;
  /** sha256 of each file that lies in the volume or in the vault. */
  bytes(): Promise<Set<string>>;
  /** The volume full, a container over it, nothing saved. */
  prepare(): Promise<void>;
  stand(): Promise<string[]>;
  readonly processEnv: Readonly<Record<string, string>>;
  run(args: readonly string[], options?: RunOptions): Promise<Run>;
  start(args: readonly string[], options: RunOptions): ReturnType<typeof startAixcl>;
  must(args: readonly string[]): Promise<void>;
}

async function scene(inside: boolean): Promise<Scene> {
  await resetEngine();
  const home = await makeHome();
  const file = join(home.root, 'small.yaml');
  const folder = join(home.root, 'data');
  const vault = join(home.root, 'vault');
  const bound = { driver: 'local', driver_opts: { type: 'none', o: 'bind', device: folder } };
  const image = llamaImage();
  const one = { image, network_mode: 'none', volumes: ['data:/data'] };
  await writeFile(
    file,
    stringify({
      name: 'small',
      services: { one },
      volumes: { data: { name: 'data', ...(inside ? {} : bound) } },
    }),
  );
  const env = { ...home.env, HOME: home.root, DOCKER_HOST: testEngine().host };
  const labels = { 'com.docker.compose.project': 'small', 'io.aixcl.home': home.root };
  const place = async () => (inside ? (await dockerApi().getVolume('data').inspect()).Mountpoint : folder);
  const isThere = async () => (await docker(['volume', 'inspect', 'data'])).code === 0;
  const run: Scene['run'] = (args, options = {}) => aixcl(['-f', file, ...args], { env, ...options });
  const start: Scene['start'] = (args, options) => startAixcl(['-f', file, ...args], options);
  return {
    ...home,
    vault,
    look: async () => portrait(await place()),
    async bytes() {
      const live = inside && !(await isThere()) ? {} : ((await contentOf(await place())) ?? {});
      const saved = (await contentOf(join(vault, 'blobs'))) ?? {};
      return new Set([...Object.values(live), ...Object.values(saved)]);
    },
    async prepare() {
      await testEngine().removeContainers();
      if (await isThere()) await dockerApi().getVolume('data').remove();
      for (const path of [folder, vault, join(home.root, 'going')])
        await rm(path, { recursive: true, force: true });
      await mkdir(folder);
      const options = { type: 'none', o: 'bind', device: folder };
      await dockerApi().createVolume({ Name: 'data', Labels: labels, DriverOpts: inside ? {} : options });
      await dockerApi().createContainer({
        name: 'small-one-1',
        Image: image,
        Labels: { ...labels, 'com.docker.compose.service': 'one' },
        HostConfig: { NetworkMode: 'none', Binds: ['data:/data:nocopy'] },
      });
      await fillVolume(await place());
    },
    async stand() {
      const { stdout } = await docker(['ps', '--all', '--format', '{{.Names}}']);
      const volumes = await docker(['volume', 'ls', '--format', '{{.Name}}']);
      return `${stdout}${volumes.stdout}`.split('\n').filter((line) => line !== '');
    },
    processEnv: env,
    run,
    start,
    async must(args) {
      const { code, stdout, stderr } = await run(args);
      expect({ args, code, said: stdout + stderr }).toMatchObject({ args, code: 0 });
    },
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}

/** Runs a command and kills it; answers the run. */
interface Kill {
  readonly where: string;
  run(args: readonly string[]): Promise<Run>;
}

/** A kill at each call that changes a file; the middle one of each of `calls` where not all are asked for. Found by one whole run. */
async function killsAtCalls(home: Scene, args: readonly string[], calls: readonly string[]): Promise<Kill[]> {
  const log = join(home.root, 'calls');
  expect((await home.run(args, { log })).code).toBe(0);
  const points = await pointsOf(log);
  const middle = (call: string) => {
    const own = points.filter((point) => point.call === call);
    return own.slice(own.length >> 1).slice(0, 1);
  };
  return (sweepAll ? points : calls.flatMap(middle)).map(({ call, nth }) => ({
    where: `${call} ${nth}`,
    run: (all) => home.run(all, { inject: [{ calls: [call], effect: 'signal=SIGKILL', when: nth }] }),
  }));
}

/** A kill at each request that changes something on the engine, once that has answered; some of them where not all are asked for. */
async function killsAtRequests(home: Scene, args: readonly string[], count: number): Promise<Kill[]> {
  await using learnt = await engineProxy(() => {}, { changeOf: anyChange });
  expect((await home.run(args, { env: { ...home.processEnv, DOCKER_HOST: learnt.host } })).code).toBe(0);
  const requests = learnt.changes.map((where, index) => ({
    where: `${index + 1}: ${where}`,
    nth: index + 1,
  }));
  return some(requests, count).map(({ where, nth }) => ({
    where,
    run: (all) => killedAfter(home, all, nth),
  }));
}

async function killedAfter(home: Scene, args: readonly string[], nth: number): Promise<Run> {
  let kill = () => {};
  await using proxy = await engineProxy((made) => made === nth && kill(), { changeOf: anyChange });
  const { child, outcome } = home.start(args, { env: { ...home.processEnv, DOCKER_HOST: proxy.host } });
  kill = () => child.kill('SIGKILL');
  return withJson(await outcome);
}

async function sweepClean(inside: boolean, killsIn: (home: Scene) => Promise<Kill[]>): Promise<void> {
  await using home = await scene(inside);
  await home.prepare();
  const whole = await home.look();
  const bytes = await home.bytes();
  let killed = 0;
  for (const { where, run } of await killsIn(home)) {
    await home.prepare();
    const { code } = await run(clean);
    if (code === 137) killed += 1;
    const left = await home.bytes();
    expect({ where, lost: [...bytes].filter((each) => !left.has(each)) }).toEqual({ where, lost: [] });
    const again = await home.run(clean);
    // 4: all of it was done.
    expect({ where, code: again.code, said: again.stderr }).toMatchObject({
      where,
      code: expect.toSatisfy((found: number) => [0, 4].includes(found)),
    });
    expect({ where, stand: await home.stand() }).toEqual({ where, stand: [] });
    await home.must(['undo']);
    expect({ where, look: await home.look() }).toEqual({ where, look: whole });
    expect({ where, noted: existsSync(join(home.root, 'going')) }).toEqual({ where, noted: false });
  }
  expect(killed).toBeGreaterThan(0);
}

async function sweepUndo(inside: boolean, killsIn: (home: Scene) => Promise<Kill[]>): Promise<void> {
  await using home = await scene(inside);
  await home.prepare();
  const whole = await home.look();
  await home.must(clean);
  let killed = 0;
  for (const { where, run } of await killsIn(home)) {
    await home.must(clean);
    const { code } = await run(['undo']);
    if (code === 137) killed += 1;
    const again = await home.run(['undo']);
    // 4: all of it was done.
    expect({ where, code: again.code, said: again.stderr }).toMatchObject({
      where,
      code: expect.toSatisfy((found: number) => [0, 4].includes(found)),
    });
    expect({ where, look: await home.look() }).toEqual({ where, look: whole });
  }
  expect(killed).toBeGreaterThan(0);
}

const timeout = sweepAll ? 3_600_000 : 600_000;

describeEngine('stack clean --volumes', () => {
  beforeAll(async () => {
    await setup();
    if (process.env[obstacleVariable]) throw new Error(process.env[obstacleVariable]);
  });

  const taking = ['link', 'unlink', 'rename', 'fchmod', 'rmdir'];
  const bringing = ['mkdir', 'link', 'symlink', 'fchmod', 'utimensat'];
  const undo = ['undo'];
  engineTest(
    '1: killed anywhere, over a folder',
    () => sweepClean(false, (home) => killsAtCalls(home, clean, taking)),
    timeout,
  );
  engineTest(
    '1: killed at any request, over a volume inside the engine',
    () => sweepClean(true, (home) => killsAtRequests(home, clean, 5)),
    timeout,
  );
  engineTest(
    '1: what brings a folder back, killed anywhere',
    () => sweepUndo(false, (home) => killsAtCalls(home, undo, bringing)),
    timeout,
  );
  engineTest(
    '1: what brings a volume back into the engine, killed at any request',
    () => sweepUndo(true, (home) => killsAtRequests(home, undo, 5)),
    timeout,
  );
});
