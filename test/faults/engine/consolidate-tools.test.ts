/** Fault 40: the user's own merge and the runtime's llama-quantize, which fail, write what they should not, or never end. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import {
  aixcl,
  describeEngine,
  docker,
  engineTest,
  llamaImage,
  spawnAixcl,
  testEngine,
} from '../../setup/engine-test.ts';
import {
  expectDone,
  expectNothingLost,
  home,
  interruptedAt,
  isAlive,
  left,
  operations,
  soon,
} from '../lab/consolidation.ts';
import { some } from '../lab/fault-test.ts';
import { contentOf } from '../lab/oracle.ts';
import { until } from '../lab/until.ts';

describeEngine('a consolidation', () => {
  const failing: readonly (readonly [what: string, command: string, code: number, words: RegExp])[] = [
    ['ends with 1', 'echo no such layer; exit 1', 1, /exit 1[\s\S]*no such layer/],
    ['truncates', 'head -c 200000 "$BASE" >"$OUTPUT"', 7, /truncated/],
    ['writes nothing', 'true', 7, /wrote nothing to OUTPUT/],
    ['writes under another name', 'cp "$BASE" "$OUTPUT.gguf"', 7, /merged.gguf.gguf/],
    ['gives the base another name', 'ln "$BASE" "$OUTPUT"', 7, /a link/],
    ['gives a link', 'ln -s "$BASE" "$OUTPUT"', 7, /a link/],
    ['makes a folder', 'mkdir "$OUTPUT"; cp "$BASE" "$OUTPUT"', 7, /a folder/],
    ['takes the place away', 'rm -r "$(dirname "$OUTPUT")"', 7, /wrote nothing to OUTPUT/],
    ['gives the adapter', 'cp "$ADAPTER/adapter.gguf" "$OUTPUT"', 7, /not built as its base/],
    ['is none', 'no-such-program', 1, /exit 127/],
  ];
  engineTest(
    '40: by a merge command that fails in any way makes nothing, and is made by the next run',
    async () => {
      await using at = await home();
      for (const [what, command, code, words] of some(failing, 4)) {
        const failed = await at.run('--remove-adapter', '--merge-command', command);
        expect({ what, code: failed.code }, failed.stderr).toEqual({ what, code });
        expect(failed.stderr).toMatch(words);
        await expectNothingLost(at);
        expect(existsSync(at.output)).toBe(false);
        expect(await contentOf(at.adapter)).toEqual(at.was.adapter);
        expect(await left(at)).toEqual([]);
      }
      expect((await at.run('--remove-adapter')).code).toBe(0);
      await expectDone(at, true);
    },
  );

  const sameTimes = (does: string) =>
    `t=$(stat -c %y "$BASE"); printf X | dd of="$BASE" bs=1 seek=500000 conv=notrunc 2>/dev/null; touch -d "$t" "$BASE"; ${does}`;
  const spoiling: readonly (readonly [command: string, code: number, words: RegExp])[] = [
    [
      sameTimes('cp "$BASE" "$OUTPUT"'),
      3,
      /base.gguf was changed while it was merged, so tuned.gguf is not made/,
    ],
    ['echo x >>"$BASE"; exit 1', 1, /base.gguf was changed.*backups restore b0001[\s\S]*exit 1/],
    ['mv "$BASE" "$OUTPUT"', 3, /base.gguf was changed.*backups restore b0001/s],
    ['rm -r "$ADAPTER"; cp "$BASE" "$OUTPUT"', 3, /lora was changed.*backups restore b0002/s],
  ];
  engineTest(
    '40: by a merge command that writes to base or adapter says so, and how it comes back',
    async () => {
      for (const [command, code, words] of some(spoiling, 2)) {
        await using at = await home();
        const failed = await at.run('--merge-command', command);
        expect({ command, code: failed.code }, failed.stderr).toEqual({ command, code });
        expect(failed.stderr).toMatch(words);
        expect(failed.stderr).not.toContain('in their places');
        expect(existsSync(at.output)).toBe(false);
        const [, id] = /aixcl backups restore (b\d+)/.exec(failed.stderr)!;
        expect(await aixcl(['backups', 'restore', id!, '--yes'], { home: at })).toMatchObject({ code: 0 });
        await expectNothingLost(at);
        expect(await contentOf(at.adapter)).toEqual(at.was.adapter);
        expect(await left(at)).toEqual([]);
      }
    },
  );

  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    engineTest(
      `40: by a merge command that hangs ends with it on ${signal}, and so does all that it started`,
      async () => {
        await using at = await home();
        const pids = join(at.root, 'pids');
        const command = `trap '' TERM INT HUP; (trap '' TERM; sleep 300) & echo "$$ $!" >'${pids}'; wait; sleep 300`;
        const args = at.args('--merge-command', command);
        const before = await operations(at);
        const { child, outcome } = spawnAixcl(args, { home: at });
        await until(
          async () => (await operations(at)) > before && (await readFile(pids, 'utf8')).endsWith('\n'),
        );
        const began = performance.now();
        child.kill(signal);
        const { code } = await outcome;
        expect(code).toBe(signal === 'SIGINT' ? 130 : 137);
        expect(performance.now() - began).toBeLessThan(soon);
        const started = (await readFile(pids, 'utf8')).trim().split(' ').map(Number);
        expect(started).toHaveLength(2);
        await until(async () => !(await Promise.all(started.map(isAlive))).includes(true));
        await expectNothingLost(at);
        expect((await at.run()).code).toBe(0);
        await expectDone(at, false);
      },
    );
  }

  /** An image in which this is llama-quantize: it tells its types as the real one does. `$out`: what it is to write. */
  async function quantizerThat(does: string): Promise<string> {
    const tag = `aixcl-test/quantize:${createHash('sha256').update(does).digest('hex').slice(0, 12)}`;
    const help = `case $1 in --help) echo '   7  or  Q8_0    :  7.96G, x'; exit ;; esac`;
    const script = `#!/bin/sh\n${help}\nfor last; do out=$type type=$last; done\n${does}\n`;
    const folder = await mkdtemp(join(tmpdir(), 'aixcl-quantize-'));
    await writeFile(join(folder, 'llama-quantize'), script, { mode: 0o755 });
    const { stdout } = await docker(['create', llamaImage()]);
    const id = stdout.trim();
    await docker(['cp', join(folder, 'llama-quantize'), `${id}:/usr/local/bin/llama-quantize`]);
    await docker(['commit', id, tag]);
    await docker(['rm', id]);
    await rm(folder, { recursive: true });
    return tag;
  }

  engineTest('40: by a llama-quantize that fails, truncates or hangs makes nothing', async () => {
    const write = 'head -c 4096 /dev/zero >"$out"';
    for (const [does, code, words] of [
      [`${write}; echo no such layer; exit 1`, 1, /llama-quantize .* failed .*exit 1[\s\S]*no such layer/],
      [write, 7, /what llama-quantize made is no whole GGUF/],
      ['true', 7, /llama-quantize ended well, and wrote nothing/],
    ] as const) {
      await using at = await home();
      const env = { LLAMA_QUANTIZE_IMAGE: await quantizerThat(does) };
      const failed = await aixcl(at.args('--quantize', 'Q8_0'), { home: at, env });
      expect({ does, code: failed.code }, failed.stderr).toEqual({ does, code });
      expect(failed.stderr).toMatch(words);
      await expectNothingLost(at);
      expect(existsSync(at.output)).toBe(false);
      expect(await left(at)).toEqual([]);
    }
  });

  engineTest('40: by a llama-quantize that hangs ends with it on SIGINT', async () => {
    await using at = await home();
    const image = await quantizerThat('head -c 4096 /dev/zero >"$out"; sleep 300');
    const hanging = { ...at, env: { ...at.env, LLAMA_QUANTIZE_IMAGE: image } };
    const cut = await interruptedAt(hanging, at.args('--quantize', 'Q8_0'), ['quantize', 0], 'SIGINT');
    expect(cut).toMatchObject({ code: 130 });
    expect(cut!.took).toBeLessThan(soon);
    await expectNothingLost(at);
    expect(await left(at)).toEqual([]);
  });

  engineTest('40, 17: whose engine is killed while the model is tried publishes nothing', async () => {
    await using at = await home();
    const cut = await interruptedAt(at, at.args(), ['check', 0], () => testEngine().kill());
    expect(cut, cut?.stderr).toMatchObject({ code: 10 });
    expect(cut!.took).toBeLessThan(10_000);
    await expectNothingLost(at);
    expect(existsSync(at.output)).toBe(false);
    await testEngine().start();
    const again = await at.run();
    expect(again.code, again.stderr).toBe(0);
    await expectDone(at, false);
  });

  engineTest('40: whose image has no llama-quantize is refused, and told of one that has', async () => {
    await using at = await home();
    const env = { LLAMA_QUANTIZE_IMAGE: 'not/here:1' };
    const missing = await aixcl(at.args('--quantize', 'Q8_0'), { home: at, env });
    expect(missing.code).toBe(4);
    expect(missing.stderr).toMatch(/not\/here:1 is not here[\s\S]*llama.cpp:full[\s\S]*llama.cpp-tools/);
    expect(existsSync(at.vault)).toBe(false);
  });
});
