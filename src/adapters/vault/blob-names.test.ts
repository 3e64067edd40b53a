import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BlobNames } from './blob-names.ts';

test('a sync that failed stays failed, also when the next would succeed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'aixcl-names-'));
  try {
    const names = new BlobNames(join(folder, 'blobs'));
    await expect(names.sync()).rejects.toThrow('ENOENT');
    await mkdir(join(folder, 'blobs'));
    names.changed();
    await expect(names.sync()).rejects.toThrow('ENOENT');
    await new BlobNames(join(folder, 'blobs')).sync();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
