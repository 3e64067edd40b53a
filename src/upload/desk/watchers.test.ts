import { rm, utimes } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { modelsDirectoryAt } from '../../adapters/models-directory/directory.ts';
import type { PageState, PageUpload } from '../api.ts';
import { ggufModels } from './gguf-models.ts';
import { putModel, testDesk } from './test-desk.ts';

vi.setConfig({ testTimeout: 30_000 });

function upload(received: number): PageUpload {
  const now = new Date().toISOString();
  return {
    id: 'u1',
    file: 'tea.gguf',
    model: 'tea.gguf',
    parts: null,
    size: 1e9,
    received,
    phase: 'receiving',
    checked: 0,
    sha256: null,
    created: now,
    touched: now,
    problem: null,
  };
}

test('who watches is told at once, then only of what changed, from whatever side', async () => {
  await using place = await testDesk();
  await putModel(place.at('tea.gguf'));
  const states: string[] = [];
  const models: number[] = [];
  using _watching = place.desk.watch((state) => {
    states.push(JSON.stringify(state));
    if (models.at(-1) !== state.models.length) models.push(state.models.length);
  });
  await expect.poll(() => models, { timeout: 8000 }).toEqual([1]);
  await delay(2500);
  await putModel(place.at('milk.gguf'));
  await expect.poll(() => models, { timeout: 8000 }).toEqual([1, 2]);
  await rm(place.at('tea.gguf'));
  await expect.poll(() => models, { timeout: 8000 }).toEqual([1, 2, 1]);
  // The disk may have got fuller meanwhile.
  for (const [index, state] of states.slice(1).entries()) expect(state).not.toBe(states[index]);
});

test('a second one is told at once too, and the first not again', async () => {
  await using place = await testDesk();
  const [first, second]: PageState[][] = [[], []];
  using _first = place.desk.watch((state) => first?.push(state));
  await expect.poll(() => first?.length, { timeout: 8000 }).toBe(1);
  using _second = place.desk.watch((state) => second?.push(state));
  await expect.poll(() => second?.length, { timeout: 8000 }).toBe(1);
  for (const [index, state] of (first ?? []).slice(1).entries()) expect(state).not.toEqual(first?.[index]);
});

test('nothing is looked at while nobody watches', async () => {
  let looks = 0;
  const uploads = () => {
    looks += 1;
    return [];
  };
  await using place = await testDesk({ uploads });
  const watching = place.desk.watch(() => {});
  await expect.poll(() => looks).toBeGreaterThan(0);
  watching[Symbol.dispose]();
  await delay(50);
  const before = looks;
  await delay(1500);
  expect(looks).toBe(before);
});

test('bytes that come are told four times a second at most', async () => {
  let received = 0;
  await using place = await testDesk({ uploads: () => [upload(received++)] });
  let told = 0;
  using _watching = place.desk.watch(() => {
    told += 1;
  });
  const began = performance.now();
  await delay(2200);
  expect(told).toBeGreaterThan(2);
  expect(told).toBeLessThanOrEqual(1 + ((performance.now() - began) / 1000) * 4);
});

test('a model whose files are as they were is not read again', async () => {
  await using place = await testDesk();
  await putModel(place.at('tea.gguf'));
  await putModel(place.at('milk.gguf'));
  const { look, mark } = ggufModels(modelsDirectoryAt(place.home.models));
  const before = [await mark(), (await look()).models] as const;
  expect(await mark()).toBe(before[0]);
  await utimes(place.at('tea.gguf'), new Date(), new Date());
  expect(await mark()).not.toBe(before[0]);
  const [milk, tea] = (await look()).models;
  expect(milk?.model).toBe(before[1][0]?.model);
  expect(tea?.model).not.toBe(before[1][1]?.model);
});
