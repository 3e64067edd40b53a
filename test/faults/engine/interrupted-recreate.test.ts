/** Fault 27: a real Compose, killed in the recreate of a service's container; what it left is found and mended, data kept. */
import { expect } from 'vitest';
import { currentTestEngine, describeEngine, engineTest } from '../../setup/engine-test.ts';
import { sweepAll } from '../lab/fault-test.ts';
import { killCompose, type Moment } from '../lab/killed-compose.ts';
import { condition, expectMended, type Stack, stack, told } from '../lab/recreate.ts';

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
