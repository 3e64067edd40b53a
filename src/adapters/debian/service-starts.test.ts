import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { withoutServiceStarts } from './service-starts.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'policy-'));
  file = join(folder, 'policy-rc.d');
});
afterEach(() => rm(folder, { recursive: true }));

describe('the policy against service starts', () => {
  test('stands while the work goes on, and not afterwards', async () => {
    const mode = await withoutServiceStarts(async () => (await stat(file)).mode & 0o777, file);
    expect(mode).toBe(0o755);
    await expect(stat(file)).rejects.toThrow('ENOENT');
  });

  test('goes also when the work fails, whose error is thrown', async () => {
    await expect(withoutServiceStarts(() => Promise.reject(new Error('no network')), file)).rejects.toThrow(
      'no network',
    );
    await expect(stat(file)).rejects.toThrow('ENOENT');
  });

  test("of the machine's own stays as it is", async () => {
    await writeFile(file, '#!/bin/sh\nexit 101\n');
    await withoutServiceStarts(async () => {}, file);
    expect(await readFile(file, 'utf8')).toBe('#!/bin/sh\nexit 101\n');
  });

  test('that a killed aixcl left is taken away by the next', async () => {
    const left = await withoutServiceStarts(() => readFile(file, 'utf8'), file);
    await writeFile(file, left);
    await withoutServiceStarts(async () => {}, file);
    await expect(stat(file)).rejects.toThrow('ENOENT');
  });
});
