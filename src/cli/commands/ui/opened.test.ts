import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { resolveHome } from '../../../home.ts';
import type { Context } from '../../context.ts';
import { opened } from './opened.ts';

const address = 'http://127.0.0.1:8081';
let root: string;
let context: Context;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'aixcl-opened-'));
  mkdirSync(join(root, 'models'));
  const env = { AIXCL_HOME: root };
  context = { env, home: resolveHome(env) } as unknown as Context;
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(root, { recursive: true, force: true });
});

test('each time another token', async () => {
  const [one, two] = [await opened(context, address), await opened(context, address)];
  expect(one.url).toMatch(/^http:\/\/127\.0\.0\.1:8081\/\?token=[\w-]{43}$/);
  expect(one.url).not.toBe(two.url);
  expect(readdirSync(join(root, 'page', 'tokens'))).toHaveLength(2);
});

test.runIf(process.getuid?.() === 0)('what root makes is for the owner of the models', async () => {
  chownSync(join(root, 'models'), 12_345, 12_345);
  await opened(context, address);
  const folder = join(root, 'page', 'tokens');
  for (const path of [folder, join(folder, readdirSync(folder)[0] ?? '')])
    expect(statSync(path).uid).toBe(12_345);
});

test('who is neither root nor the owner of the models can make none, and hears why', async () => {
  const { uid } = statSync(join(root, 'models'));
  vi.spyOn(process, 'getuid').mockReturnValue(uid + 1);
  await expect(opened(context, address)).rejects.toMatchObject({ code: 'refused', hint: 'sudo aixcl ui' });
  expect(readdirSync(root)).toEqual(['models']);
});
