import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nearest, onSameMount } from './same-mount.ts';

test('what is not there yet lies where the nearest folder above it lies', async () => {
  expect(await nearest('/proc/none/such')).toBe('/proc');
  expect(await onSameMount(join(tmpdir(), 'none', 'such'), join(tmpdir(), 'other'))).toBe(true);
});

test.runIf(process.platform === 'linux')('two file systems are two mounts', async () => {
  expect(await onSameMount(tmpdir(), '/proc/self')).toBe(false);
});
