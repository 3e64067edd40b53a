import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LockWish, lockFile } from './file-lock.ts';

let folder: string;
let path: string;
let others: ChildProcess[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aixcl-lock-'));
  path = join(folder, 'lock');
  others = [];
});

afterEach(async () => {
  for (const other of others) other.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

test('who comes second is told who was first, and what to do', async () => {
  await using _held = await lockFile(path, wish('aixcl models remove'));
  await expect(lockFile(path, wish())).rejects.toMatchObject({
    code: 'busy',
    message: `aixcl models remove (pid ${process.pid}) is at work on the vault`,
    hint: expect.stringContaining('--wait-lock'),
  });
});

test('another program that locks the file is respected', async () => {
  await locker();
  await expect(lockFile(path, wish())).rejects.toMatchObject({ code: 'busy' });
});

test('who only looks whether it is held keeps nobody out', async () => {
  const other = await locker('--shared');
  setTimeout(() => other.kill('SIGKILL'), 60);
  await using held = await lockFile(path, wish());
  expect(await held.isHeld()).toBe(true);
});

test('a holder that is killed lets go at once', async () => {
  const other = await locker();
  await expect(lockFile(path, wish())).rejects.toMatchObject({ code: 'busy' });
  other.kill('SIGKILL');
  await once(other, 'close');
  const begin = performance.now();
  await using held = await lockFile(path, wish());
  expect(await held.isHeld()).toBe(true);
  expect(performance.now() - begin).toBeLessThan(1000);
});

test('waits as long as it was told, and no longer', async () => {
  const held = await lockFile(path, wish());
  const begin = performance.now();
  await expect(lockFile(path, wish('x', 0.3))).rejects.toThrow('and was for 0.3 s');
  expect(performance.now() - begin).toBeGreaterThan(250);
  const waiting = lockFile(path, wish('aixcl second', 20));
  setTimeout(() => held[Symbol.asyncDispose](), 100);
  await using _second = await waiting;
  expect(await readFile(path, 'utf8')).toBe(`aixcl second (pid ${process.pid})\n`);
});

test('waiting ends when the command is interrupted', async () => {
  await using _held = await lockFile(path, wish());
  const interrupted = new AbortController();
  setTimeout(() => interrupted.abort(new Error('enough')), 50);
  const begin = performance.now();
  await expect(lockFile(path, { ...wish('x', 30), signal: interrupted.signal })).rejects.toThrow('enough');
  expect(performance.now() - begin).toBeLessThan(5000);
});

test('is free again once it was let go, and says nothing of who had it', async () => {
  const held = await lockFile(path, wish());
  await held[Symbol.asyncDispose]();
  expect(await held.isHeld()).toBe(false);
  expect(await readFile(path, 'utf8')).toBe('');
  await using _again = await lockFile(path, wish());
});

test('is not held any more when its file was taken away, as another may have it under that name', async () => {
  await using held = await lockFile(path, wish());
  await unlink(path);
  expect(await held.isHeld()).toBe(false);
  await using other = await lockFile(path, wish());
  expect([await held.isHeld(), await other.isHeld()]).toEqual([false, true]);
});

test('who waited for a file that was taken away meanwhile does not share the lock with who has the new one', async () => {
  const old = await lockFile(path, wish());
  const waiting = lockFile(path, wish('x', 20));
  await delay(50);
  await unlink(path);
  const other = await lockFile(path, wish());
  await old[Symbol.asyncDispose]();
  await expect(Promise.race([waiting, delay(200, 'waits')])).resolves.toBe('waits');
  await other[Symbol.asyncDispose]();
  await using held = await waiting;
  expect(await held.isHeld()).toBe(true);
});

function wish(holder = 'aixcl test', patience = 0): LockWish {
  return { what: 'the vault', holder, patience, signal: new AbortController().signal };
}

/** A process of its own that has the lock. */
async function locker(...options: readonly string[]): Promise<ChildProcess> {
  const other = spawn(
    'flock',
    ['-n', '--no-fork', ...options, path, 'sh', '-c', 'echo locked; exec sleep 60'],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  others.push(other);
  await once(other.stdout as NodeJS.EventEmitter, 'data');
  return other;
}
