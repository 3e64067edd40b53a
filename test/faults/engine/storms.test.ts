/** Fault 21: what any clean-up of the engine leaves of the models. */
import { expect } from 'vitest';
import {
  currentTestEngine,
  describeEngine,
  engineTest,
  type PrivateEngine,
  resetEngine,
  testEngine,
} from '../../setup/engine-test.ts';
import { sweepAll } from '../lab/fault-test.ts';
import { downs, type Place, type Stormed, storm, stormed } from '../lab/storm.ts';

const minutes = 60_000;
const places: readonly (readonly [place: Place, what: string])[] = [
  ['folder', 'a default install'],
  ['inside', 'a volume that was there before, while its guard stands'],
];
/** A volume inside is in more danger below API 1.42, where a prune takes it by itself. */
const engines: readonly (readonly [name: string, engine: () => Promise<PrivateEngine>, hard: Place])[] = [
  ['20.10', async () => testEngine(), 'inside'],
  ['a current engine', currentTestEngine, 'folder'],
];

for (const [name, engineOf, hard] of engines) {
  describeEngine(
    `21: clean-ups of ${name}: running, stopped, after a killed daemon, without any container`,
    () => {
      for (const [place, what] of places) {
        if (place !== hard && !sweepAll) continue;
        engineTest(`leave the models of ${what}`, () => throughStorms(engineOf, place), 10 * minutes);
      }
    },
  );
}

async function throughStorms(engineOf: () => Promise<PrivateEngine>, place: Place): Promise<void> {
  const engine = await engineOf();
  try {
    await using stack = await stormed(engine, place);
    await stack.expectServes();
    expect(await heldBy(stack)).toBe(
      place === 'folder' ? `folder ${stack.home.ollama}` : 'guard aixcl-guard',
    );

    await storm(stack, downs, () => stack.expectServes());

    await stack.ok('stack', 'stop', '--timeout', '1');
    await storm(stack, sweepAll ? downs : downs.slice(0, 1), async () => {
      if (sweepAll) await stack.expectServes();
      await stack.ok('stack', 'stop', '--timeout', '1');
    });

    await stack.expectServes();
    await engine.kill();
    await engine.start();
    await storm(stack, downs.slice(sweepAll ? 0 : 1), async () => {
      if (sweepAll) await stack.expectServes();
    });

    await stack.expectServes();
    const ids = (await stack.docker('ps', '--all', '--quiet')).split('\n').filter(Boolean);
    const guard = (await stack.docker('ps', '--quiet', '--filter', 'label=io.aixcl.guard')).trim();
    const going = ids.filter((id) => id !== guard);
    expect(going).not.toEqual([]);
    await stack.docker('rm', '--force', ...going);
    await stack.docker('system', 'prune', '--all', '--force', '--volumes');
    await stack.docker('volume', 'rm', '--force', 'ollama');
    await stack.expectWhole();
    await stack.expectServes();
  } finally {
    await resetEngine(engine);
  }
}

async function heldBy(stack: Stormed): Promise<unknown> {
  const { json } = await stack.ok('stack', 'status', '--format', 'json');
  const volumes = json.flatMap((status) => status.volumes as { name: string; heldBy: string }[]);
  return volumes.find(({ name }) => name === 'ollama')?.heldBy;
}
