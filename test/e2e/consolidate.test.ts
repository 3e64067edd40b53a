import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { contentOf, isSaved } from '../faults/lab/oracle.ts';
import {
  baseName,
  type ConsolidationHome,
  consolidationHome,
  llamaQuantize,
  outputName,
} from '../setup/consolidation.ts';
import { aixcl, describeEngine, engineTest, resetEngine } from '../setup/engine-test.ts';
import { headerOf, readTensors } from '../setup/lora-model.ts';
import { none } from './gguf-home.ts';
import { ok, servedModel } from './llama-stack.ts';

async function home(wish: Parameters<typeof consolidationHome>[0] = {}): Promise<ConsolidationHome> {
  await resetEngine();
  return consolidationHome(wish);
}

async function versions(at: ConsolidationHome): Promise<Record<string, unknown>[]> {
  return [...(await ok(at, 'versions', 'list', '--format', 'json')).json];
}

describeEngine('a consolidation', () => {
  engineTest(
    'ends with a model that is versioned, served, and can be had again; adapter and base stay',
    async () => {
      await using at = await home();
      const run = join(at.root, 'run');
      await mkdir(run);
      await writeFile(join(run, 'log.jsonl'), '{"step":1,"loss":2}\n{"step":2,"loss":1}\n');
      const merged = await at.run('--training-data', run, '--evolution', run, '--format', 'json');
      expect(merged.code, merged.stderr).toBe(0);
      expect(merged.json[0]).toMatchObject({ type: 'result', command: 'consolidate', changed: true });
      const steps = merged.json[0]!.steps as { kind: string; target: string; outcome: string }[];
      expect(steps.map(({ kind, outcome }) => `${kind} ${outcome}`)).toEqual([
        ...['backup done', 'backup done', 'verify done', 'version done', 'merge done', 'check done'],
        ...['version done', 'publish done', 'keep kept', 'keep kept'],
      ]);
      expect(await contentOf(join(at.models, baseName))).toEqual(at.was.base);
      expect(await contentOf(at.adapter)).toEqual(at.was.adapter);
      const saved = await at.saved();
      expect(saved.flatMap(({ wrong }) => wrong)).toEqual([]);
      for (const content of [at.was.base, at.was.adapter]) expect(isSaved(saved, content)).toBe(true);

      const shown = await ok(at, 'versions', 'show', `${outputName}@latest`, '--format', 'json');
      expect(shown.json[0]).toMatchObject({
        id: `${outputName}@v001`,
        description: 'rank 8',
        baseModel: { name: baseName, digest: `sha256:${Object.values(at.was.base)[0]}` },
        trainingData: [{ path: join(run, 'log.jsonl') }],
        evolution: { files: [{ path: 'log.jsonl' }] },
        consolidated: { adapter: { version: `${at.adapter}@v001` }, way: { scale: 2, command: null } },
      });
      await ok(at, 'stack', 'start', 'llama-server');
      await ok(at, 'models', 'activate', outputName);
      expect(await servedModel(at)).toBe(outputName);
      const content = (await contentOf(at.output))!;
      await ok(at, 'versions', 'restore', `${outputName}@v001`, '--as', 'back.gguf');
      expect(Object.values((await contentOf(join(at.models, 'back.gguf')))!)).toEqual(Object.values(content));
      expect((await ok(at, 'models', 'verify')).code).toBe(0);
    },
  );

  engineTest(
    'with --remove-adapter takes it away in the end, and undo brings it back as it was',
    async () => {
      await using at = await home();
      const dry = await at.run('--remove-adapter', '--dry-run');
      expect(dry.stdout).toContain(`remove ${at.adapter}`);
      expect(existsSync(at.vault)).toBe(false);
      const merged = await at.run('--remove-adapter');
      expect(merged.code, merged.stderr).toBe(0);
      expect(await contentOf(at.adapter)).toBeUndefined();
      expect(isSaved(await at.saved(), at.was.adapter)).toBe(true);
      expect((await at.steps()).slice(-4)).toEqual(['verify', 'verify', 'save', 'remove']);
      await ok(at, 'undo');
      expect(await contentOf(at.adapter)).toEqual(at.was.adapter);
      const again = await at.run();
      expect(again.code, again.stderr).toBe(0);
      expect(again.stdout).toContain(`keep ${outputName}: it is there as ${outputName}@v001`);
      expect(await versions(at)).toHaveLength(2);

      // A name has to be free, whatever has it, also where an earlier run made a model of that name.
      for (const take of [mkdir, (path: string) => symlink(baseName, path)]) {
        await rm(at.output, { recursive: true });
        await take(at.output);
        const taken = await at.run();
        expect(taken.code, taken.stderr).toBe(3);
        expect(taken.stderr).toContain('is there already');
      }
    },
  );

  engineTest('of a quantized base goes through F16, and back to what was asked for', async () => {
    await using at = await home();
    const wideBase = join(at.root, 'f16.gguf');
    await rename(join(at.models, baseName), wideBase);
    await llamaQuantize(wideBase, join(at.models, baseName), 'Q8_0');
    const dry = await at.run('--dry-run');
    expect(dry.stdout).toMatch(/turn base.gguf into F16 .*Q8_0[\s\S]*it stays in 16 bits/);
    const wide = await at.run();
    expect(wide.code, wide.stderr).toBe(0);
    expect([...(await readTensors(at.output)).values()].map(({ type }) => type)).not.toContain('Q8_0');
    await rm(at.output);
    const small = await at.run('--quantize', 'q8_0');
    expect(small.code, small.stderr).toBe(0);
    expect((await headerOf(at.output)).tensors.some(({ type }) => type === 8)).toBe(true);
    expect(await readdir(join(at.models, '.aixcl', 'consolidating'))).toEqual([]);
  });

  engineTest('that can not be is refused before anything is saved, with what to do', async () => {
    await using at = await home();
    await writeFile(join(at.models, 'taken.gguf'), 'mine');
    await mkdir(join(at.root, 'empty'));
    await writeFile(join(at.root, 'empty', 'adapter_config.json'), '{}');
    const cases: [string[], number, RegExp][] = [
      [['--output', 'taken'], 3, /there already/],
      [['--output', '../x'], 2, /slash/],
      [['--base', 'nope.gguf'], 4, /no model/],
      [['--base', join(at.adapter, 'adapter.gguf')], 3, /adapter itself/],
      [['--adapter', baseName], 3, /no adapter/],
      [['--adapter', join(at.root, 'empty')], 7, /adapter_model.safetensors/],
      [['--quantize', 'Q9_0'], 2, /knows no type Q9_0.*Q8_0/s],
      [['--quantize', 'IQ1_S'], 2, /importance matrix/],
      [['--description', ' '], 2, /description/],
      [['--merge-command', ' '], 2, /--merge-command is empty/],
    ];
    for (const [more, code, words] of cases) {
      const { stderr, ...refused } = await at.run(...more);
      expect({ more, code: refused.code }, stderr).toEqual({ more, code });
      expect(stderr).toMatch(words);
    }
    const offline = await aixcl(at.args(), { home: at, env: none });
    expect(offline.code, offline.stderr).toBe(10);
    const asked = await aixcl(
      at.args().filter((word) => word !== '--yes'),
      { home: at },
    );
    expect(asked.code).toBe(3);
    expect(existsSync(at.vault)).toBe(false);
    expect(existsSync(at.output)).toBe(false);
  });

  engineTest("by the user's own command is checked as any other", async () => {
    await using at = await home();
    const merged = await at.run('--merge-command', 'echo "$ADAPTER"; cp "$BASE" "$OUTPUT"');
    expect(merged.code, merged.stderr).toBe(0);
    expect(merged.stderr).toContain(`| ${at.adapter}`);
    expect(Object.values((await contentOf(at.output))!)).toEqual(Object.values(at.was.base));
  });
});
