import { rm } from 'node:fs/promises';
import { mergeInto } from '../../src/adapters/merge/merge.ts';
import { planMerge } from '../../src/consolidate/merge-plan.ts';
import { headerOf } from '../setup/lora-model.ts';

/** What one measured process does: `merge-work.mjs BASE ADAPTER OUTPUT`. Tells its peak memory, in bytes, on stdout. */
async function mergeWork([base, adapter, output]: readonly string[]): Promise<void> {
  if (!base || !adapter || !output) throw new Error('merge-work BASE ADAPTER OUTPUT');
  await rm(output, { force: true });
  const plan = planMerge([await headerOf(base)], await headerOf(adapter), {});
  await mergeInto(plan, { base: [base], adapter, output, signal: new AbortController().signal });
  process.stdout.write(`${process.resourceUsage().maxRSS * 1024}\n`);
}

await mergeWork(process.argv.slice(2));
