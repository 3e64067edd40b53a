import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Arguments } from 'yargs';
import { vaultOf } from '../../../wiring/vault.ts';
import { exportTo } from './export.ts';
import { importFrom } from './import.ts';
import { saved, testHome } from './test-home.ts';

test('while the index can not be read, export and import say so, and take nothing', async () => {
  await using home = await testHome();
  const vault = vaultOf(home.context);
  await saved(vault, 'tea.gguf', 'op-1');
  const file = join(home.root, 'tea.tar');
  const whole = { file, snapshots: ['tea.gguf'] } as unknown as Arguments;
  expect(await home.run((context) => exportTo(context, whole))).toMatchObject({ error: undefined });
  await writeFile(join(vault.path, 'index.json'), 'x');
  const other = { file: join(home.root, 'other.tar'), snapshots: ['tea.gguf'] } as unknown as Arguments;
  const exported = await home.run((context) => exportTo(context, other));
  expect(exported.error).toMatchObject({
    code: 'verification',
    evidence: [expect.stringContaining('index.json')],
  });
  const imported = await home.run((context) => importFrom(context, whole));
  expect(imported.error).toMatchObject({
    code: 'verification',
    message: expect.stringContaining('index.json'),
    hint: expect.stringContaining('Nothing was taken in'),
  });
});
