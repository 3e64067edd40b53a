import fc from 'fast-check';
import { expect } from 'vitest';
import { faultHome, faultTest, sweepAll } from '../faults/lab/fault-test.ts';
import { startOllama } from '../faults/lab/ollama.ts';
import {
  add,
  assertAllComesBack,
  carryOut,
  type Kill,
  live,
  type Memory,
  memoryOf,
  models,
  type Name,
  prepare,
  type Real,
  type Step,
  same,
  snapshots,
} from './history.ts';

/** What each command is called in a counterexample, and what it does. */
function step(name: string, kill: Kill, run: (memory: Memory, real: Real) => Promise<void>): Step {
  return {
    check: () => true,
    run,
    toString: () => (kill ? `${name} [killed at ${kill.call} ${kill.nth}]` : name),
  };
}

const kill: fc.Arbitrary<Kill> = fc.option(
  fc.record({
    call: fc.constantFrom('rename', 'link', 'unlink', 'fsync', 'mkdir', 'pwrite64', 'rmdir'),
    nth: fc.integer({ min: 1, max: 40 }),
  }),
  { freq: 2 },
);

const anyName = fc.constantFrom(...models);

const steps = [
  fc
    .tuple(
      fc.constantFrom('tea.gguf' as const, 'big' as const),
      fc.constantFrom(0 as const, 1 as const),
      kill,
    )
    .map(([name, version, at]) =>
      step(`add ${name} ${version}`, at, (memory, real) => add(memory, real, name, version, at)),
    ),
  fc.tuple(anyName, kill).map(([name, at]) =>
    step(`remove ${name}`, at, async (memory, real) => {
      const content = await live(real, name);
      const { code } = await carryOut(memory, real, ['models', 'remove', name, '--yes'], at);
      if (code !== 0) return;
      expect(await live(real, name)).toBeUndefined();
      if (content) memory.lastRemoved = { name, content };
    }),
  ),
  kill.map((at) =>
    step('undo', at, async (memory, real) => {
      const expected = memory.lastRemoved;
      const { code } = await carryOut(memory, real, ['undo', '--yes'], at);
      if (!expected || code === 137) return;
      expect(code).toBe(0);
      expect(await live(real, expected.name)).toEqual(expected.content);
    }),
  ),
  fc.tuple(fc.option(anyName), kill).map(([name, at]) =>
    step(`backup ${name ?? 'all'}`, at, async (memory, real) => {
      const standing = name && (await live(real, name));
      const { code } = await carryOut(memory, real, ['backups', 'create', ...(name ? [name] : [])], at);
      if (!standing || code !== 0) return;
      expect((await snapshots(real)).some(({ content }) => same(content, standing))).toBe(true);
    }),
  ),
  fc.tuple(fc.nat(20), kill).map(([index, at]) =>
    step(`restore ${index}`, at, async (memory, real) => {
      const all = await snapshots(real);
      const chosen = all[index % Math.max(1, all.length)];
      if (!chosen) return;
      const { code } = await carryOut(memory, real, ['backups', 'restore', chosen.id, '--yes'], at);
      const name = models.find((each) => each === chosen.model.replace(':latest', ''));
      if (code === 0 && name) expect(await live(real, name)).toEqual(chosen.content);
    }),
  ),
  kill.map((at) =>
    step('cleanup', at, async (memory, real) => {
      const before = (await snapshots(real)).map(({ id }) => id);
      await carryOut(memory, real, ['backups', 'cleanup', '--execute', '--yes'], at);
      // None of them is thirty days old.
      expect((await snapshots(real)).map(({ id }) => id)).toEqual(before);
    }),
  ),
  kill.map((at) =>
    step('gc', at, async (memory, real) => {
      await carryOut(memory, real, ['vault', 'gc', '--grace', '0', '--yes'], at);
    }),
  ),
  fc.tuple(fc.nat(20), kill).map(([index, at]) =>
    step(`delete ${index}`, at, async (memory, real) => {
      const all = await snapshots(real);
      const chosen = all[index % Math.max(1, all.length)];
      const name = models.find((each) => each === chosen?.model.replace(':latest', '')) as Name | undefined;
      if (!chosen || !name) return;
      const standing = await live(real, name);
      const elsewhere = all.some(({ id, content }) => id !== chosen.id && same(content, chosen.content));
      // Deleted by its name: owed no more, unless it is somewhere else too.
      if (!elsewhere && !(standing && same(standing, chosen.content)))
        memory.owed.set(
          name,
          memory.owed.get(name)!.filter((each) => !same(each, chosen.content)),
        );
      await carryOut(memory, real, ['backups', 'delete', chosen.id, '--confirm', chosen.model], at);
      const left = (await snapshots(real)).some(({ content }) => same(content, chosen.content));
      if (left && !memory.owed.get(name)!.some((each) => same(each, chosen.content)))
        memory.owed.set(name, [...memory.owed.get(name)!, chosen.content]);
    }),
  ),
];

faultTest(
  'whatever is done to models, and wherever it is killed, what was ever there stays live or comes back bit for bit',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.commands(steps, { maxCommands: sweepAll ? 40 : 16, size: 'max' }),
        async (commands) => {
          await using home = await faultHome();
          const real = await prepare(home);
          await using _ = await startOllama(home);
          const memory = await memoryOf(real);
          await fc.asyncModelRun(() => ({ model: memory, real }), commands);
          await assertAllComesBack(memory, real);
        },
      ),
      {
        numRuns: sweepAll ? 60 : 10,
        endOnFailure: !sweepAll,
        interruptAfterTimeLimit: sweepAll ? 3_000_000 : 75_000,
      },
    );
  },
  3_600_000,
);
