import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withExternal, withLeftOut } from '../stack/home-overlay.ts';
import { changeOverlay } from './overlay-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aixcl-overlay-'));
});
afterEach(() => rm(folder, { recursive: true }));

const kept = { key: 'ollama', name: 'ollama', holds: 'models', place: 'inside the engine' };

test('a volume stands for the whole of its definition, also after the file was changed again', async () => {
  const file = join(folder, 'compose.home.yaml');
  const volumes =
    'volumes:\n  ollama: !override\n    name: ollama\n    external: true\n    x-holds: models\n';
  expect(await changeOverlay(file, (overlay) => withExternal(overlay, [kept]))).toBe(true);
  expect(await readFile(file, 'utf8')).toContain(volumes);
  expect(await changeOverlay(file, (overlay) => withExternal(overlay, [kept]))).toBe(false);
  expect(await changeOverlay(file, (overlay) => withLeftOut(overlay, ['a'], []))).toBe(true);
  expect(await readFile(file, 'utf8')).toContain(volumes);
});

test('where nothing is to be said, no file is made', async () => {
  const file = join(folder, 'compose.home.yaml');
  expect(await changeOverlay(file, (overlay) => withExternal(overlay, []))).toBe(false);
  await expect(readFile(file)).rejects.toThrow('ENOENT');
});
