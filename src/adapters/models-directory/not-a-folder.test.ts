import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseModelName } from '../../models/model-name.ts';
import { writeSelfTestModel } from '../../models/self-test-model.ts';
import { readActivation } from './activation-files.ts';
import { modelsDirectoryAt } from './directory.ts';
import { addOne, makeTestDirectory, type TestDirectory } from './test-directory.ts';

let place: TestDirectory;
let file: string;
beforeEach(async () => {
  place = await makeTestDirectory();
  file = join(place.elsewhere, 'a-file');
  await writeFile(file, 'not a folder');
});
afterEach(async () => place[Symbol.asyncDispose]());

const name = parseModelName('a.gguf');
const request = { id: '1', name, by: 'cli', time: '2026-01-01T00:00:00Z' } as const;

test.each([
  ['list', () => modelsDirectoryAt(file).list()],
  ['find', () => modelsDirectoryAt(file).find(name)],
  ['the activation', () => modelsDirectoryAt(file).activation()],
  ['the activation as status reads it', () => readActivation(file)],
  ['a request', () => modelsDirectoryAt(file).writeRequest(request)],
  ['below it', () => modelsDirectoryAt(join(file, 'models')).list()],
  [
    'add',
    async () => {
      const source = join(place.elsewhere, 'a.gguf');
      await writeSelfTestModel(source);
      await addOne(file, source);
    },
  ],
])('a models directory that is a file is named as that: %s', async (_what, run) => {
  await expect(run()).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringMatching(/AIXCL_MODELS_DIR.*a-file.* is a file, not a folder/),
    hint: 'AIXCL_MODELS_DIR=/FOLDER aixcl …',
  });
});

test('one that is not there yet is none of that', async () => {
  expect(await modelsDirectoryAt(join(place.elsewhere, 'none', 'below')).list()).toEqual({
    models: [],
    unusable: [],
  });
  await mkdir(join(place.elsewhere, 'empty'));
  expect((await readActivation(join(place.elsewhere, 'empty'))).problems).toEqual([]);
});
