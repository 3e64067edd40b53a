import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readRecord } from '../../adapters/models-directory/records.ts';
import { writeSelfTestModel } from '../../models/self-test-model.ts';
import { type TestReceiving, testReceiving } from './test-receiving.ts';

let own: TestReceiving;
let bytes: Buffer;
beforeEach(async () => {
  own = await testReceiving();
  const path = join(own.models, '..', 'source.gguf');
  await writeSelfTestModel(path);
  bytes = await readFile(path);
});
afterEach(async () => own[Symbol.asyncDispose]());

const sha256 = (of: Uint8Array) => createHash('sha256').update(of).digest('hex');
const uploads = () => readdirSync(join(own.models, '.aixcl', 'uploads'));

test('an upload becomes a model bit for bit, with a record of its hash, and nothing is left of the way', async () => {
  const path = await own.upload('a.gguf', bytes, { sha256: sha256(bytes) });
  await own.settled();
  expect(own.names()).toEqual(['a.gguf']);
  expect(sha256(await readFile(join(own.models, 'a.gguf')))).toBe(sha256(bytes));
  expect(await readRecord(own.models, 'a.gguf')).toEqual({
    sha256: sha256(bytes),
    source: null,
    version: null,
  });
  expect(uploads()).toEqual([]);
  expect(await own.receiving.list()).toEqual([]);
  // Whose answer to the last bytes was lost is told that they came.
  expect(await own.offset(path)).toBe(bytes.length);
});
