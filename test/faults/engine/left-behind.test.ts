/** Fault 27: what interrupted recreates leave that Compose's timing does not give, made by hand: mended, or refused and shown. */
import { expect } from 'vitest';
import { describeEngine, engineTest } from '../../setup/engine-test.ts';
import { some, sweepAll } from '../lab/fault-test.ts';
import { condition, containers, expectMended, look, type Stack, stack, told } from '../lab/recreate.ts';

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
