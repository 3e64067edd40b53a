import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { applyAdd, observeStanding } from '../../models/add.ts';
import { observeOrder } from '../../models/order.ts';
import { planAdd } from '../../models/plan-add.ts';
import { writeSelfTestModel } from '../../models/self-test-model.ts';
import { parseSource } from '../../models/source.ts';
import { writeSplitModel } from '../../models/test-models.ts';
import { modelsDirectoryAt } from '../models-directory/directory.ts';
import { intakeInto } from '../models-directory/intake.ts';
import { hubOf } from './hub.ts';
import { startTestHub, type TestHub, testRepository } from './test-hub.ts';

const signal = new AbortController().signal;
const reporter = { begin: () => ({ update() {}, end() {} }) };

let folder: string;
let hub: TestHub;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aixcl-hub-'));
  const single = join(folder, 'single.gguf');
  await writeSelfTestModel(single);
  const [first, second] = await writeSplitModel(join(folder, 'split'), 'big-Q8_0');
  hub = await startTestHub({
    'README.md': Buffer.from('read me'),
    'tea-Q4_K_M.gguf': await readFile(single),
    'Q8_0/big-Q8_0-00001-of-00002.gguf': await readFile(first!),
    'Q8_0/big-Q8_0-00002-of-00002.gguf': await readFile(second!),
  });
});
afterEach(async () => {
  await hub[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const models = () => join(folder, 'models');

async function add(choice: string, token?: string) {
  const source = parseSource(`hf.co/${testRepository}${choice}`, 'llama-server');
  if (source.kind !== 'hub') throw new Error('not a source of the Hub');
  const intake = intakeInto(models());
  const env = { HF_ENDPOINT: hub.endpoint, ...(token !== undefined && { HF_TOKEN: token }) };
  const order = await observeOrder(source, intake, { hub: async () => hubOf(env), signal });
  const standing = await observeStanding(order, intake, { signal, reporter });
  const [step] = planAdd([{ order, standing, held: 0, active: false }]).steps;
  return { order, step: step!, outcome: await applyAdd(step!, intake, { signal, reporter }) };
}

test('a file is found through all pages of the list, and fetched, checked by the sha256 that the Hub states', async () => {
  const { order, outcome } = await add(':Q4_K_M');
  expect(order.files[0]?.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(outcome).toMatchObject({ kind: 'add', outcome: 'done', target: 'tea-Q4_K_M.gguf' });
  const bytes = await readFile(join(models(), 'tea-Q4_K_M.gguf'));
  expect(bytes).toEqual(hub.files.get('tea-Q4_K_M.gguf'));
  expect((await add(':Q4_K_M')).outcome).toMatchObject({ kind: 'keep' });
});

test('all shards come into a folder, and each knows where it came from', async () => {
  expect((await add(':Q8_0')).outcome).toMatchObject({ outcome: 'done', target: 'big-Q8_0' });
  expect((await readdir(join(models(), 'big-Q8_0'))).sort()).toEqual([
    'big-Q8_0-00001-of-00002.gguf',
    'big-Q8_0-00002-of-00002.gguf',
  ]);
  const [model] = (await modelsDirectoryAt(models()).list()).models;
  const record = await modelsDirectoryAt(models()).recordOf(model!.files[1]!);
  expect(record?.source).toBe(
    `${hub.endpoint}/${testRepository}/resolve/main/Q8_0/big-Q8_0-00002-of-00002.gguf`,
  );
});

test('bytes that are not what the Hub states get no name', async () => {
  const bytes = hub.files.get('tea-Q4_K_M.gguf')!;
  const files = [...hub.files.keys()];
  const list = hubOf({ HF_ENDPOINT: hub.endpoint });
  const stated = await list.files(testRepository, signal);
  expect(stated.map(({ path }) => path)).toEqual(files);
  const hash = createHash('sha256').update(bytes).digest('hex');
  expect(stated.find(({ path }) => path === 'tea-Q4_K_M.gguf')?.sha256).toBe(hash);
  const flipped = Buffer.from(bytes);
  flipped[flipped.length - 1]! ^= 1;
  // The same size, changed between the list and the download.
  const source = parseSource(`hf.co/${testRepository}:Q4_K_M`, 'llama-server');
  const intake = intakeInto(models());
  if (source.kind !== 'hub') throw new Error('not a source of the Hub');
  const order = await observeOrder(source, intake, { hub: async () => list, signal });
  hub.files.set('tea-Q4_K_M.gguf', flipped);
  const [step] = planAdd([{ order, standing: 'none', held: 0, active: false }]).steps;
  await expect(applyAdd(step!, intake, { signal, reporter })).rejects.toMatchObject({
    code: 'verification',
  });
});

test('a token is sent to the Hub and to nobody that it leads to, and stands in no record', async () => {
  hub.token = 'hf_secret';
  await expect(add(':Q4_K_M')).rejects.toMatchObject({
    code: 'notFound',
    hint: expect.stringContaining('HF_TOKEN'),
  });
  await expect(add(':Q4_K_M', 'hf_wrong')).rejects.toMatchObject({ code: 'refused' });
  hub.requests.length = 0;
  const { order, step, outcome } = await add(':Q4_K_M', 'hf_secret');
  expect(outcome).toMatchObject({ outcome: 'done' });
  const onCdn = hub.requests.filter((line) => line.startsWith('cdn'));
  expect(onCdn.length).toBeGreaterThan(0);
  expect(onCdn.join()).not.toContain('secret');
  expect(JSON.stringify([order, step, outcome])).not.toContain('secret');
  const records = await readdir(join(models(), '.aixcl', 'digests'));
  for (const name of records) {
    expect(await readFile(join(models(), '.aixcl', 'digests', name), 'utf8')).not.toContain('secret');
  }
});

test('a connection that is cut before the answer is made anew, and not for ever', async () => {
  const list = hubOf({ HF_ENDPOINT: hub.endpoint });
  hub.cuts = 2;
  expect(await list.files(testRepository, signal)).toHaveLength(hub.files.size);
  hub.cuts = 3;
  await expect(list.files(testRepository, signal)).rejects.toMatchObject({
    code: 'unexpected',
    message: expect.stringContaining(`${testRepository} can't be asked: `),
  });
});

test('what the Hub does not have is told as that, and so is an address that is none', async () => {
  await expect(hubOf({ HF_ENDPOINT: hub.endpoint }).files('a/b', signal)).rejects.toMatchObject({
    code: 'notFound',
  });
  await expect(hubOf({ HF_ENDPOINT: 'http://127.0.0.1:1' }).files('a/b', signal)).rejects.toMatchObject({
    code: 'unexpected',
  });
  expect(() => hubOf({ HF_ENDPOINT: 'nowhere' })).toThrow(expect.objectContaining({ code: 'usage' }));
});
