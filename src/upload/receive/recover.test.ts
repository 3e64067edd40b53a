import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { idOf, modelBytes, sha256, type TestReceiving, testReceiving } from './test-receiving.ts';

// Every upload waits for the disk some ten times.
vi.setConfig({ testTimeout: 60_000 });

let own: TestReceiving;
let bytes: Buffer;
beforeEach(async () => {
  own = await testReceiving();
  bytes = await modelBytes('It came in by an upload.');
});
afterEach(async () => own[Symbol.asyncDispose]());

test('bytes that were never synced do not count after another boot', async () => {
  const path = await own.announce('a.gguf', bytes.length);
  await own.patch(path, bytes.subarray(0, 1000));
  // Synced at the end of the service.
  await own.restart();
  await own.patch(path, bytes.subarray(1000, 5000), 1000);
  const state = join(own.models, '.aixcl', 'uploads', idOf(path), 'state.json');
  const kept = JSON.parse(await readFile(state, 'utf8'));
  expect(kept.synced).toBe(1000);
  await own.crash();
  await writeFile(state, JSON.stringify({ ...kept, boot: 'another' }));
  await own.restart();
  expect(await own.offset(path)).toBe(1000);
  await own.crash();
  await own.restart();
  await own.patch(path, bytes.subarray(1000), 1000);
  await own.settled();
  expect(sha256(await readFile(join(own.models, 'a.gguf')))).toBe(sha256(bytes));
});

test('within a boot all that was written counts, also after a kill', async () => {
  const path = await own.announce('a.gguf', bytes.length);
  await own.patch(path, bytes.subarray(0, 1000));
  await own.crash();
  await own.restart();
  expect(await own.offset(path)).toBe(1000);
});

test('a folder that makes no sense is shown, and can be cleared', async () => {
  const path = await own.announce('a.gguf', bytes.length);
  await writeFile(join(own.models, '.aixcl', 'uploads', idOf(path), 'about.json'), '{"file":');
  await mkdir(join(own.models, '.aixcl', 'uploads', 'f'.repeat(32)));
  await own.restart();
  expect(await own.receiving.list()).toMatchObject([{ id: idOf(path), phase: 'refused' }]);
  expect((await own.send('DELETE', path)).status).toBe(204);
  expect(own.folders()).toEqual([]);
});

test('what can not be settled yet waits, says why, and is a model once it can', async () => {
  const { path, again, swaps } = await unsettled();
  expect((await own.one())?.problem?.detail).toContain('unfinished change');
  expect(own.warnings.join()).toContain('wait');
  await rm(swaps, { recursive: true });
  await own.receiving.check(idOf(again));
  await own.settled();
  expect(await own.one()).toMatchObject({ phase: 'exists', problem: null });
  expect(path).not.toBe(again);
});

test('of several who wait for what can not be settled one tries again', async () => {
  const { again } = await unsettled();
  await Promise.allSettled([own.receiving.check(idOf(again)), own.receiving.check(idOf(again))]);
  expect(own.warnings.filter((line) => line.includes('wait'))).toHaveLength(2);
});

test('bytes that are more than was announced are refused by their number', async () => {
  const path = await own.announce('a.gguf', bytes.length);
  await own.crash();
  const longer = Buffer.concat([bytes, Buffer.alloc(32)]);
  await writeFile(join(own.models, '.aixcl', 'uploads', idOf(path), 'bytes'), longer);
  await own.restart();
  await own.settled();
  const upload = await own.one();
  expect(upload).toMatchObject({ phase: 'refused', problem: { code: 'verification' } });
  expect(upload?.problem?.detail).toContain(`has ${longer.length} bytes and should have ${bytes.length}`);
  expect(own.names()).toEqual([]);
});

/** A model, and another of its name that was killed as if between its check and its name, beside a change of names that nobody can read. */
async function unsettled(): Promise<{ path: string; again: string; swaps: string }> {
  const path = await own.upload('a.gguf', bytes, { sha256: sha256(bytes) });
  await own.settled();
  const again = await own.upload('a.gguf', await modelBytes('Another.'));
  await own.settled();
  expect(await own.one()).toMatchObject({ phase: 'exists' });
  await own.crash();
  const swaps = join(own.models, '.aixcl', 'swaps');
  await mkdir(swaps, { recursive: true });
  await writeFile(join(swaps, 'broken.json'), '{');
  await own.restart();
  while ((await own.one())?.phase !== 'refused') await new Promise((resolve) => setTimeout(resolve, 5));
  return { path, again, swaps };
}
