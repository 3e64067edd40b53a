import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { mergeInto } from '../../src/adapters/merge/merge.ts';
import { planMerge } from '../../src/consolidate/merge-plan.ts';
import { headerOf, llamaBase, loraAdapter, smallLlama, write } from '../setup/lora-model.ts';
import { faultTest, tmpfs } from './lab/fault-test.ts';

faultTest('a merge onto a disk that is full at any size says so and leaves nothing on it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'aixcl-merge-'));
  try {
    const base = await write(llamaBase(smallLlama), join(folder, 'base.gguf'));
    const lora = loraAdapter(smallLlama, { type: 'F32', rank: 4, alpha: 8 });
    const adapter = await write(lora, join(folder, 'adapter.gguf'));
    const plan = planMerge([await headerOf(base)], await headerOf(adapter), {});
    const { signal } = new AbortController();
    using disk = tmpfs(4096);
    const output = join(disk.path, 'merged.gguf');
    for (const share of [0.01, 0.3, 0.7, 0.99]) {
      disk.remount(`size=${Math.floor((plan.bytes * share) / 4096) * 4096}`);
      await expect(mergeInto(plan, { base: [base], adapter, output, signal })).rejects.toMatchObject({
        code: 'noSpace',
        message: expect.stringContaining(output),
      });
      expect(await readdir(disk.path)).toEqual([]);
    }
    disk.remount(`size=${plan.bytes + 8192}`);
    await mergeInto(plan, { base: [base], adapter, output, signal });
    expect(await readdir(disk.path)).toEqual(['merged.gguf']);
  } finally {
    await rm(folder, { recursive: true });
  }
});
