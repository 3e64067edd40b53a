import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { isRunning, ownIdentity } from './process-identity.ts';

const now = () => new Date().toISOString();

test('a process knows itself', async () => {
  const process_ = await ownIdentity();
  expect(process_).toMatch(/^[0-9a-f-]{36} pid:\[\d+\] \d+$/);
  expect(await isRunning({ pid: process.pid, process: process_, time: now() })).toBe(true);
});

test('another process of the same number is not it', async () => {
  const [boot, pids, started] = (await ownIdentity())!.split(' ');
  const earlier = `${boot} ${pids} ${Number(started) - 1}`;
  expect(await isRunning({ pid: process.pid, process: earlier, time: now() })).toBe(false);
});

test('none is left of an earlier boot', async () => {
  const [, pids, started] = (await ownIdentity())!.split(' ');
  const before = `00000000-0000-4000-8000-000000000000 ${pids} ${started}`;
  expect(await isRunning({ pid: process.pid, process: before, time: now() })).toBe(false);
});

test('one of another container can not be seen', async () => {
  const [boot, , started] = (await ownIdentity())!.split(' ');
  const elsewhere = `${boot} pid:[1] ${started}`;
  expect(await isRunning({ pid: process.pid, process: elsewhere, time: now() })).toBeNull();
});

test('one that ended does not run, also while its parent has not noticed', async () => {
  const child = spawn('sh', ['-c', 'sleep 0 & exec sleep 30'], { stdio: 'ignore' });
  const pid = child.pid!;
  expect(await isRunning({ pid, time: now() })).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await isRunning({ pid, time: now() })).toBe(false);
});

test('without an identity, one that began after the record was written is another', async () => {
  expect(await isRunning({ pid: process.pid, time: now() })).toBe(true);
  expect(await isRunning({ pid: process.pid, time: '2020-01-01T00:00:00.000Z' })).toBe(false);
});
