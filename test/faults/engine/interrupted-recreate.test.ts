/** Fault 27: a recreate of a service's container that was interrupted, by a real Compose and by hand; it is found and mended, data kept. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { stringify } from 'yaml';
import { ollamaApi } from '../../../src/adapters/ollama/api/api.ts';
import {
  type Aixcl,
  aixcl,
  blobFile,
  compose,
  currentTestEngine,
  describeEngine,
  docker,
  engineTest,
  makeHome,
  type OllamaModel,
  ollamaImage,
  type PrivateEngine,
  resetEngine,
  seedStore,
  type TestHome,
  testEngine,
} from '../../setup/engine-test.ts';
import { some, sweepAll } from '../lab/fault-test.ts';
import { killCompose, type Moment } from '../lab/killed-compose.ts';
import { sha256Of } from '../lab/oracle.ts';

interface Stack extends TestHome {
  readonly engine: PrivateEngine;
  readonly tea: OllamaModel;
  /** Container id and the anonymous volume at /scratch, as they were before anything happened. */
  readonly before: Look;
  run(...args: string[]): Promise<Aixcl>;
  docker(...args: string[]): Promise<string>;
  /** Gives the service another environment than its container has. */
  change(): Promise<void>;
}

interface Look {
  readonly id: string;
  readonly scratch: string | undefined;
  readonly volume: string | undefined;
  readonly mark: string | undefined;
}

interface Wish {
  readonly engine?: PrivateEngine;
  /** Absent: aixcl. */
  readonly maker?: 'aixcl' | 'compose';
  /** It ends only when it is killed, after two seconds. */
  readonly isSlow?: boolean;
}

/** The stack's own Ollama, running, with a model in its store and a file in an anonymous volume. */
async function stack({ engine = testEngine(), maker = 'aixcl', isSlow = false }: Wish = {}): Promise<Stack> {
  await resetEngine(engine);
  const home = await makeHome({ ollama: await ollamaImage(engine) });
  const env = { DOCKER_HOST: engine.host };
  const run = (...args: string[]) => aixcl(args, { home, env });
  const tool = async (...args: string[]) => {
    const { code, stdout, stderr } = await docker(args, { engine });
    expect({ args, code, stderr }).toMatchObject({ args, code: 0 });
    return stdout.trim();
  };
  const define = (mark: string) =>
    writeFile(
      join(home.root, 'compose.override.yaml'),
      stringify({
        services: {
          ollama: {
            environment: { MARK: mark },
            volumes: ['/scratch'],
            ...(isSlow && { stop_signal: 'SIGWINCH', stop_grace_period: '2s' }),
          },
        },
      }),
    );
  await define('one');
  const tea = await seedStore(home.ollama, 'tea');
  expect((await run('service', 'start', 'ollama')).stderr).toContain('healthy');
  if (maker === 'compose') {
    const { code, stderr } = await compose(['up', '-d', 'ollama'], {
      engine,
      cwd: home.root,
      env: { ...home.env, HOME: home.root },
    });
    expect(code, stderr).toBe(0);
  }
  await tool('exec', 'ollama', 'sh', '-c', 'echo kept > /scratch/mine');
  const stacked = { ...home, engine, tea, run, docker: tool, change: () => define('two') };
  return {
    ...stacked,
    before: await look(stacked, 'ollama'),
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}

async function look({ engine }: { readonly engine: PrivateEngine }, name: string): Promise<Look> {
  const { Id, Mounts, Config } = await engine.api.getContainer(name).inspect();
  const at = (path: string) => Mounts.find(({ Destination }) => Destination === path)?.Name;
  const mark = Config.Env.find((line) => line.startsWith('MARK='))?.slice('MARK='.length);
  return { id: Id, scratch: at('/scratch'), volume: at('/root/.ollama'), mark };
}

/** `name state` of every container. */
async function containers({ engine }: { readonly engine: PrivateEngine }): Promise<string[]> {
  const all = await engine.api.listContainers({ all: true });
  return all.map(({ Names, State }) => `${Names[0]?.slice(1)} ${State}`).toSorted();
}

async function condition({ run }: Stack): Promise<unknown> {
  const { json } = await run('service', 'status', 'ollama', '--format', 'json');
  const [status] = json as unknown as { readonly services: readonly { readonly condition: unknown }[] }[];
  return status?.services[0]?.condition;
}

/** One container, running under its own name, made from the definition as it is now, over the data that it had. */
async function expectMended(given: Stack): Promise<void> {
  expect(await containers(given)).toEqual(['ollama running']);
  const { scratch, volume } = given.before;
  expect(await look(given, 'ollama')).toMatchObject({ scratch, volume, mark: 'two' });
  expect(await given.docker('exec', 'ollama', 'cat', '/scratch/mine')).toBe('kept');
  for (const { digest } of given.tea.blobs) {
    expect(`sha256:${await sha256Of(blobFile(given.ollama, digest))}`).toBe(digest);
  }
  expect(await ollamaApi(`http://127.0.0.1:${given.ports.ollama}`).names()).toEqual(['tea:latest']);
  expect(await condition(given)).toBeNull();
  const again = await given.run('service', 'start', 'ollama', '--format', 'json');
  expect(again.json.at(-1)).toMatchObject({ type: 'result', changed: false });
}

const moments: readonly Moment[] = [
  { when: 'before it stops the old one', change: 'POST stop', reaches: false },
  { when: 'while the old one stops', change: 'POST stop', reaches: true },
  { when: 'before it removes the old one', change: 'DELETE', reaches: false },
  {
    when: 'before it gives the new one its name',
    change: 'POST rename',
    reaches: false,
  },
];

/** By whose name the recreate is told, whatever else is said of it. */
const told = /[0-9a-f]{12}_ollama.*interrupted recreate|interrupted recreate.*[0-9a-f]{12}_ollama/;

describeEngine('docker compose, killed in a recreate', () => {
  const killed = async (given: Stack, moment: Moment, verb: string) => {
    await given.change();
    await killCompose(given, given.engine, ['up', '-d', 'ollama'], moment);
    expect(await condition(given)).toMatch(told);
    const mending = await given.run('service', verb, 'ollama');
    expect(mending.code, mending.stderr).toBe(0);
    await expectMended(given);
  };

  moments.forEach((moment, index) => {
    const makers = sweepAll ? (['aixcl', 'compose'] as const) : ([index % 2 ? 'compose' : 'aixcl'] as const);
    for (const maker of makers) {
      for (const verb of sweepAll ? ['restart', 'start'] : ['restart']) {
        engineTest(
          `${moment.when}, of a container that ${maker} made: mended by service ${verb}`,
          async () => {
            await using given = await stack({ maker, isSlow: true });
            await killed(given, moment, verb);
          },
        );
      }
    }
  });

  engineTest('while the old one stops, on a current engine: mended by stack start', async () => {
    const engine = await currentTestEngine();
    await using given = await stack({ engine, isSlow: true });
    await given.change();
    await killCompose(given, engine, ['up', '-d', 'ollama'], moments[1]!);
    expect(await condition(given)).toMatch(told);
    const mending = await given.run('stack', 'start', 'ollama');
    expect(mending.code, mending.stderr).toBe(0);
    await expectMended(given);
  });
});

describeEngine('an interrupted recreate', () => {
  const ours = ['project=aixcl', 'service=ollama', 'oneoff=False', 'config-hash=of-compose'].map(
    (label) => `com.docker.compose.${label}`,
  );

  /** A container as Compose leaves one, over these volumes; its id. */
  async function leave(
    given: Stack,
    name: string,
    { volumes = [], labels = ours }: { volumes?: readonly string[]; labels?: readonly string[] } = {},
  ): Promise<string> {
    return given.docker(
      'create',
      ...['--name', name, '--network', 'none', '--init'],
      ...labels.flatMap((label) => ['--label', label]),
      ...volumes.flatMap((volume) => ['-v', volume]),
      given.env.OLLAMA_IMAGE ?? '',
    );
  }

  const same = ({ before }: Stack) => ['ollama:/root/.ollama', `${before.scratch}:/scratch`];
  const prefix = ({ id }: { readonly id: string }) => `${id.slice(0, 12)}_ollama`;

  /** What each left behind, beside or in the place of the container that ran. */
  const cases: readonly (readonly [what: string, leave: (given: Stack) => Promise<unknown>])[] = [
    ['the prefixed one alone', (given) => given.docker('rename', 'ollama', prefix(given.before))],
    [
      'one prefixed twice, alone',
      (given) => given.docker('rename', 'ollama', `0123456789ab_${prefix(given.before)}`),
    ],
    [
      'a prefixed one beside the running',
      (given) => leave(given, prefix(given.before), { volumes: same(given) }),
    ],
    [
      'a prefixed one beside the stopped',
      async (given) => {
        await given.docker('stop', 'ollama');
        await leave(given, prefix(given.before), { volumes: same(given) });
      },
    ],
    [
      'a running prefixed one beside the stopped',
      async (given) => {
        await given.docker('stop', 'ollama');
        await given.docker('start', await leave(given, prefix(given.before), { volumes: same(given) }));
      },
    ],
    [
      'one prefixed twice and one prefixed once',
      async (given) => {
        await leave(given, prefix(given.before), { volumes: same(given) });
        await leave(given, `0123456789ab_${prefix(given.before)}`, { volumes: same(given) });
      },
    ],
    [
      'as Compose 1: the old one renamed, the new one never started',
      async (given) => {
        await given.docker('stop', 'ollama');
        await given.docker('rename', 'ollama', prefix(given.before));
        await leave(given, 'ollama', { volumes: same(given) });
      },
    ],
    [
      'as Compose 1: the old one renamed, the new one running',
      async (given) => {
        await given.docker('stop', 'ollama');
        await given.docker('rename', 'ollama', prefix(given.before));
        await given.docker('start', await leave(given, 'ollama', { volumes: same(given) }));
      },
    ],
  ];

  some(cases, 4).forEach(([what, happens], index) => {
    for (const verb of sweepAll ? ['restart', 'start'] : [index % 2 ? 'start' : 'restart']) {
      engineTest(`${what}: mended by service ${verb}`, async () => {
        await using given = await stack();
        await happens(given);
        await given.change();
        expect(await condition(given)).toMatch(told);
        const mending = await given.run('service', verb, 'ollama');
        expect(mending.code, mending.stderr).toBe(0);
        await expectMended(given);
      });
    }
  });

  engineTest('of which the right container is left gives it its name, and makes none anew', async () => {
    await using given = await stack();
    await given.docker('rename', 'ollama', prefix(given.before));
    await leave(given, 'ollama', { volumes: same(given) });
    const { id } = given.before;
    const started = (await given.engine.api.getContainer(id).inspect()).State.StartedAt;
    expect((await given.run('stack', 'start', 'ollama')).code).toBe(0);
    expect(await look(given, 'ollama')).toEqual(given.before);
    expect((await given.engine.api.getContainer(id).inspect()).State.StartedAt).toBe(started);

    await given.docker('rename', 'ollama', prefix(given.before));
    expect((await given.run('stack', 'restart', 'ollama')).code).toBe(0);
    expect(await look(given, 'ollama')).toEqual(given.before);
    expect((await given.engine.api.getContainer(id).inspect()).State.StartedAt).not.toBe(started);
    expect(await containers(given)).toEqual(['ollama running']);
  });

  /** Refused by each, with all that is said; nothing is changed. */
  async function expectRefused(given: Stack, words: readonly RegExp[]): Promise<void> {
    const before = await containers(given);
    for (const verb of ['start', 'restart']) {
      const { code, stderr } = await given.run('service', verb, 'ollama');
      expect({ verb, code }, stderr).toEqual({ verb, code: 3 });
      for (const word of words) expect(stderr).toMatch(word);
    }
    expect(await containers(given)).toEqual(before);
  }

  engineTest('of which both run is refused, and both are shown', async () => {
    await using given = await stack();
    const name = prefix(given.before);
    await given.docker('start', await leave(given, name, { volumes: same(given) }));
    expect(await condition(given)).toContain(`2 containers could be ollama: `);
    await expectRefused(given, [
      new RegExp(`(ollama and ${name}|${name} and ollama) run`),
      new RegExp(`${given.before.id.slice(0, 12)}  ollama  .*ollama at /root/.ollama`),
      new RegExp(`  ${name}  .*Up .*ollama at /root/.ollama`),
    ]);
  });

  engineTest('of which the other one holds data is refused until that is held elsewhere', async () => {
    await using given = await stack();
    const name = prefix(given.before);
    await given.docker('volume', 'create', 'precious');
    const id = await leave(given, name, { volumes: ['precious:/root/.ollama'] });
    await given.docker('start', id);
    await given.docker('stop', id);
    await expectRefused(given, [new RegExp(`${name} alone holds the volume precious`)]);
    expect(await given.docker('volume', 'ls', '-q')).toContain('precious');
    await given.docker('rm', name);
    expect((await given.run('service', 'start', 'ollama')).code).toBe(0);
  });

  engineTest('whose name another project has is refused, with what to type', async () => {
    await using given = await stack();
    await given.docker('rename', 'ollama', prefix(given.before));
    await leave(given, 'ollama', { labels: ['com.docker.compose.project=other'] });
    await given.change();
    expect(await condition(given)).toContain('docker rename ollama ollama-other');
    await expectRefused(given, [/a container of another project is called ollama/, /docker rename ollama/]);
    await given.docker('rename', 'ollama', 'ollama-other');
    const mending = await given.run('service', 'restart', 'ollama');
    expect(mending.code, mending.stderr).toBe(0);
    await given.docker('rm', 'ollama-other');
    await expectMended(given);
  });

  engineTest(
    'that nothing but its name tells gets that name, or is taken over, with its volume',
    async () => {
      await using given = await stack();
      await given.docker('rm', '-f', 'ollama');
      const name = 'a9f302029b81_ollama';
      const stray = await leave(given, name, { labels: [], volumes: ['ollama:/root/.ollama'] });
      expect(await condition(given)).toContain(`only its name tells that ${name} belongs to it`);
      expect((await given.run('service', 'restart', 'ollama', '--no-wait')).code).toBe(0);
      expect((await look(given, 'ollama')).id).toBe(stray);

      await given.docker('stop', 'ollama');
      await given.docker('rename', 'ollama', name);
      const taken = await given.run('service', 'start', 'ollama');
      expect(taken.code, taken.stderr).toBe(0);
      expect(await look(given, 'ollama')).toMatchObject({ volume: 'ollama', mark: 'one' });
      expect(await containers(given)).toEqual([
        'ollama running',
        `ollama.before-aixcl-${stray.slice(0, 12)} exited`,
      ]);
    },
  );

  engineTest(
    'that nothing but its name tells, over other data, keeps its name; a start asks for --adopt',
    async () => {
      await using given = await stack();
      await given.docker('rm', '-f', 'ollama');
      const name = 'a9f302029b81_ollama';
      await given.docker('volume', 'create', 'precious');
      await leave(given, name, { labels: [], volumes: ['precious:/root/.ollama'] });
      const refused = await given.run('service', 'start', 'ollama');
      expect(refused.code).toBe(3);
      expect(refused.stderr).toContain('--adopt');
      expect((await given.run('service', 'restart', 'ollama', '--no-wait')).code).toBe(0);
      expect(await containers(given)).toEqual([`${name} running`]);
    },
  );
});
