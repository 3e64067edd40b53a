import { expect, test } from 'vitest';
import { headerFrom, llamaBase, loraAdapter, smallLlama } from '../../test/setup/lora-model.ts';
import { mergeMemory, threadMemory, threadsFor } from './merge-memory.ts';
import { type MergePlan, planMerge } from './merge-plan.ts';

async function plan(width: number, feedForward: number, rank: number): Promise<MergePlan> {
  const wish = { ...smallLlama, layers: 1, width, feedForward };
  const adapter = loraAdapter(wish, { type: 'F32', rank, alpha: 1 });
  return planMerge([await headerFrom(llamaBase(wish))], await headerFrom(adapter), {});
}

test('a thread holds blocks of a tensor and the factors of one, however large the tensor is', async () => {
  const { raw, wide, left, right } = threadMemory(await plan(8192, 28672, 16));
  expect(right).toBe(4 * 16 * 28672);
  expect(raw + wide + left).toBeLessThan(5e6);
});

test('as many threads as cores, as far as half a gigabyte goes', async () => {
  const usual = await plan(4096, 14336, 16);
  expect(threadsFor(usual, 2)).toBe(2);
  expect(threadsFor(usual, 8)).toBe(8);
  for (const each of [usual, await plan(8192, 28672, 256)]) {
    const threads = threadsFor(each, 128);
    expect(threads).toBeGreaterThan(1);
    expect(mergeMemory(each, threads)).toBeLessThan(500e6);
    expect(mergeMemory(each, threads + 1)).toBeGreaterThan(500e6);
  }
});

test('one thread at least', async () => {
  expect(threadsFor(await plan(8192, 28672, 8192), 4)).toBe(1);
});
