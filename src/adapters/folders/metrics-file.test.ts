import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readMetrics } from './metrics-file.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'aixcl-metrics-'));
});
afterEach(() => rm(root, { recursive: true }));

test('metrics are kept to the letter, also through a link', async () => {
  const text = '{"loss": 0.10000000000000001, "odd": NaN}\n';
  await writeFile(join(root, 'm.json'), text);
  await symlink('m.json', join(root, 'link.json'));
  expect(await readMetrics(join(root, 'link.json'))).toEqual({ value: { loss: 0.1, odd: Number.NaN }, text });
});

test('what may be waited for, or read, without end is refused before it is opened', async () => {
  const pipe = join(root, 'pipe.json');
  execFileSync('mkfifo', [pipe]);
  await symlink('pipe.json', join(root, 'link.json'));
  for (const path of [pipe, join(root, 'link.json'), '/dev/zero']) {
    await expect(readMetrics(path)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('it is no file'),
    });
  }
});
