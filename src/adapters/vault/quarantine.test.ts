import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inQuarantine } from './quarantine.ts';

test('what was set aside is counted, its notes are not', async () => {
  const root = await mkdtemp(join(tmpdir(), 'aixcl-quarantine-'));
  try {
    const folder = join(root, 'quarantine');
    expect(await inQuarantine(folder)).toEqual({ files: 0, bytes: 0 });
    await mkdir(folder);
    for (const [name, size] of [
      ['a-1', 5],
      ['a-1.json', 90],
      ['a-2', 7],
      ['.tmp-x', 8],
    ] as const) {
      await writeFile(join(folder, name), Buffer.alloc(size));
    }
    expect(await inQuarantine(folder)).toEqual({ files: 2, bytes: 12 });
  } finally {
    await rm(root, { recursive: true });
  }
});
