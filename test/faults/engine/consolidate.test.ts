/** Fault 40: each step of a consolidation fails, hangs or is killed. Adapter, base and all that was saved of them outlive it. */
import { existsSync } from 'node:fs';
import { open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { expect } from 'vitest';
import { writeUnloadableModel } from '../../../src/models/test-models.ts';
import { baseName, type ConsolidationHome, outputName } from '../../setup/consolidation.ts';
import { aixcl, describeEngine, engineTest } from '../../setup/engine-test.ts';
import { aixcl as traced } from '../lab/aixcl.ts';
import { expectDone, expectNothingLost, home, interruptedAt, left, soon } from '../lab/consolidation.ts';
import { type FaultHome, type RunOptions, some, sweepAll, tmpfs } from '../lab/fault-test.ts';
import { contentOf, isSaved } from '../lab/oracle.ts';
import installTracer from '../lab/setup.ts';
import { sweep } from '../lab/sweep.ts';

/** As `expectNothingLost`, where the adapter may be on its way: then its backup is whole. */
async function expectNothingHalf(at: ConsolidationHome): Promise<void> {
  const saved = await at.saved();
  for (const { id, wrong } of saved) expect({ id, wrong }).toEqual({ id, wrong: [] });
  const adapter = await contentOf(at.adapter);
  if (adapter === undefined) expect(isSaved(saved, at.was.adapter)).toBe(true);
  else expect(adapter).toEqual(at.was.adapter);
}

/** For what is traced, call by call: no engine takes part. */
function tracedHome(at: ConsolidationHome): FaultHome {
  const env = { ...at.env, HOME: at.root, DOCKER_HOST: `unix://${join(at.root, 'no-engine.sock')}` };
  const run = (args: readonly string[], options: RunOptions = {}) =>
    traced(args, { ...options, env: { ...env, ...options.env } });
  return {
    ...at,
    scratch: at.root,
    env,
    run,
    async must(args, options) {
      const outcome = await run(args, options);
      if (outcome.code === 0) return outcome;
      throw new Error(`aixcl ${args.join(' ')} ended with ${outcome.code}\n${outcome.stderr}`);
    },
  };
}

/** Of a quantized result with removal: every kind of step. */
const everyStep = [
  ...(['backup', 'verify', 'version', 'merge', 'quantize', 'check'] as const).map(
    (kind) => [kind, 0] as const,
  ),
  ['version', 1],
  ['publish', 0],
  ['verify', 1],
  ['save', 0],
  ['remove', 0],
] as const;
const wholeWay = ['--quantize', 'Q8_0', '--remove-adapter'];

describeEngine('a consolidation', () => {
  for (const signal of ['SIGKILL', 'SIGINT'] as const) {
    engineTest(
      `40: ${signal === 'SIGKILL' ? 'killed' : 'interrupted'} at any of its steps loses nothing, and is done by the next run`,
      async () => {
        await using at = await home();
        let met = 0;
        for (const step of some(everyStep, 4)) {
          await at.again();
          const cut = await interruptedAt(at, at.args(...wholeWay), step, signal);
          await expectNothingLost(at);
          if (cut) met += 1;
          // One that was at its very end says so.
          if (cut?.code === 0) await expectDone(at, true);
          else if (cut && signal === 'SIGINT') {
            expect({ step, code: cut.code }, cut.stderr).toEqual({ step, code: 130 });
            expect(cut.took).toBeLessThan(soon);
            expect(await left(at)).toEqual([]);
          }
          const again = await at.run(...wholeWay);
          // It may have been done to its last step, or to the one before.
          const codes = (await contentOf(at.adapter)) === undefined ? [0, 4] : [0];
          expect(codes, `${step.join(' ')}: ${again.stderr}`).toContain(again.code);
          if (again.code === 4) await aixcl(['backups', 'create', baseName], { home: at });
          await expectDone(at, true);
        }
        expect(met).toBeGreaterThan(0);
      },
      600_000,
    );
  }

  engineTest(
    '40, 1: killed while the adapter goes leaves it or its backup, whole, at each call that changes the disk',
    async () => {
      await installTracer();
      await using at = await home();
      expect((await at.run()).code).toBe(0);
      const settled = async () => {
        // Nothing of it lies beside its name any more.
        expect(await readdir(dirname(at.adapter))).toEqual(
          (await contentOf(at.adapter)) === undefined ? [] : [basename(at.adapter)],
        );
        await expectNothingLost(at);
      };
      await sweep(
        {
          home: tracedHome(at),
          args: at.args('--remove-adapter'),
          prepare: () => at.newAdapter(),
          assertOldOrNew: async () => void (await expectNothingHalf(at)),
          async assertNew() {
            expect(await contentOf(at.adapter)).toBeUndefined();
            await settled();
          },
          assertSettled: settled,
          doneAlready: [4],
        },
        {
          count: 1,
          at: ({ call }) => sweepAll || /^(fsync|rename|link|unlink|rmdir)$/.test(call),
          inject: ({ call, nth }) => ({ calls: [call], effect: 'signal=SIGKILL', when: nth }),
          codes: [137],
        },
      );
    },
    1_800_000,
  );

  engineTest(
    '40: whose model does not load publishes nothing: exit 6, with the last lines of llama-server',
    async () => {
      await using at = await home({ base: writeUnloadableModel });
      const failed = await at.run('--remove-adapter', '--merge-command', 'cp "$BASE" "$OUTPUT"');
      expect(failed.code, failed.stderr).toBe(6);
      expect(failed.stderr).toContain('output_norm.weight');
      await expectNothingLost(at);
      expect(existsSync(at.output)).toBe(false);
      expect(await left(at)).toEqual([]);
    },
  );

  engineTest('40: whose disk is full says so at whatever step, and is done once there is room', async () => {
    for (const spare of some([400_000, 900_000, 1_300_000], 2)) {
      using disk = tmpfs(8 << 20);
      await using at = await home({ models: disk.path, env: { AIXCL_MODELS_DIR: disk.path } });
      const { size } = await stat(join(at.models, baseName));
      // More room than is needed is promised by nobody while the merge goes on.
      const filler = join(disk.path, 'filler');
      const fill = `head -c $((${(8 << 20) - size} - ${spare})) /dev/zero >'${filler}'`;
      const failed = await at.run('--merge-command', `${fill}; cat "$BASE" "$BASE" >"$OUTPUT"`);
      expect(failed.code, failed.stderr).toBe(8);
      // Where it was staged nobody can look any more.
      expect(failed.stderr).toContain(`df -h ${disk.path};`);
      await expectNothingLost(at);
      expect(existsSync(at.output)).toBe(false);
      await rm(filler);
      expect((await at.run()).code).toBe(0);
      await expectDone(at, false);
    }
  });

  engineTest('40: of a damaged base or adapter merges nothing', async () => {
    await using at = await home();
    const base = await open(join(at.models, baseName), 'r+');
    await base.truncate(200_000);
    await base.close();
    const cut = await at.run();
    expect(cut.code, cut.stderr).toBe(7);
    await at.again();
    const file = join(at.adapter, 'adapter.gguf');
    const adapter = await open(file, 'r+');
    await adapter.truncate(60_000);
    await adapter.close();
    const short = await at.run();
    expect(short.code, short.stderr).toBe(7);
    expect(existsSync(at.vault)).toBe(false);
    expect(existsSync(at.output)).toBe(false);
  });

  engineTest('40, 41: whose backup rots before the adapter goes keeps the adapter', async () => {
    await using at = await home();
    const [sum] = Object.values(at.was.adapter);
    const blob = join(at.vault, 'blobs', 'sha256', sum!);
    const flip = `chmod u+w '${blob}'; printf X | dd of='${blob}' bs=1 seek=9000 conv=notrunc 2>/dev/null`;
    const rotten = await at.run('--remove-adapter', '--merge-command', `${flip}; cp "$BASE" "$OUTPUT"`);
    expect(rotten.code, rotten.stderr).toBe(7);
    expect(rotten.stderr).toMatch(/stays: b0002 is damaged in the vault/);
    expect(rotten.stderr).toContain(`${outputName} was made`);
    expect(await contentOf(at.adapter)).toEqual(at.was.adapter);
  });

  engineTest('40: whose adapter is another one by the time that it would go keeps it', async () => {
    await using at = await home();
    const change = `touch "$ADAPTER/new.txt"`;
    const changed = await at.run('--remove-adapter', '--merge-command', `${change}; cp "$BASE" "$OUTPUT"`);
    expect(changed.code, changed.stderr).toBe(3);
    expect(existsSync(join(at.adapter, 'new.txt'))).toBe(true);
    expect(existsSync(at.output)).toBe(false);
  });

  engineTest('40: whose name is taken meanwhile leaves what took it alone', async () => {
    await using at = await home();
    const take = `echo mine >'${at.output}'`;
    const late = await at.run('--merge-command', `${take}; cp "$BASE" "$OUTPUT"`);
    expect(late.code, late.stderr).toBe(3);
    expect(await readFile(at.output, 'utf8')).toBe('mine\n');
    expect(await contentOf(at.adapter)).toEqual(at.was.adapter);
    expect(await left(at)).toEqual([]);
  });
});
