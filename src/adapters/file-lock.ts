import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { AixclError, reasonOf, systemCode } from '../errors.ts';
import { give, type Ownership } from './durable.ts';

export interface LockWish {
  /** What is locked, for the error of whoever comes second: `the vault`. */
  readonly what: string;
  /** What others are told of this process: `aixcl models remove`. */
  readonly holder: string;
  /** Seconds to wait for another to let go. */
  readonly patience: number;
  readonly signal: AbortSignal;
  readonly owner?: Ownership | undefined;
}

export interface FileLock extends AsyncDisposable {
  /** False when it was let go, or when another file stands under the lock's name. */
  isHeld(): Promise<boolean>;
}

/** Exit code that we give flock for "another has it", to tell it from its own failures. */
const taken = 75;
const macLookAgainMs = 100;
/** Seconds; who only looks whether it is held (lock-holder.ts) has it for some milliseconds, and does not sign. */
const lookTakes = 0.2;
/** open(2) of macOS and the BSDs: opening takes the lock. */
const O_EXLOCK = 0x20;

/**
 * Locks the file at `path`, made if need be, or throws `busy` with what its holder wrote into it. The lock is the kernel's (flock): it is
 * gone with the process, however that ends, and is seen from containers that have the file too.
 */
export async function lockFile(path: string, wish: LockWish): Promise<FileLock> {
  const deadline = performance.now() + wish.patience * 1000;
  for (;;) {
    const left = Math.max(0, deadline - performance.now()) / 1000;
    let handle = await acquire(path, left, wish);
    if (!handle && !(await signed(path))) handle = await acquire(path, lookTakes, wish);
    if (!handle) throw await busy(path, wish);
    // Someone may have taken the file away and made it anew between our opening and our locking.
    if (await leadsTo(path, handle)) {
      await sign(handle, wish).catch(async (error: unknown) => {
        await handle.close();
        throw error;
      });
      return heldLock(path, handle);
    }
    await handle.close();
  }
}

async function acquire(path: string, seconds: number, wish: LockWish): Promise<FileHandle | undefined> {
  wish.signal.throwIfAborted();
  if (process.platform === 'darwin') return acquireByOpening(path, seconds, wish.signal);
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o644);
  try {
    if (await flock(handle, seconds, wish.signal)) return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  return undefined;
}

/** Node has no flock. The lock belongs to the open file, which the child shares with us: it stays when the child has exited. */
async function flock(handle: FileHandle, seconds: number, signal: AbortSignal): Promise<boolean> {
  const wait = seconds > 0 ? ['-w', seconds.toFixed(3)] : ['-n'];
  const child = spawn('flock', [...wait, '-E', String(taken), '3'], {
    stdio: ['ignore', 'ignore', 'ignore', handle.fd],
  });
  const abort = () => child.kill();
  signal.addEventListener('abort', abort);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    signal.throwIfAborted();
    if (code === 0) return true;
    if (code === taken) return false;
    throw new Error(`flock ended with ${code ?? 'a signal'}`);
  } catch (error) {
    signal.throwIfAborted();
    throw new AixclError('unexpected', `the file system of the lock can't be locked: ${reasonOf(error)}`, {
      hint: 'flock --version   (of util-linux; aixcl locks with it)',
      cause: error,
    });
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

async function acquireByOpening(
  path: string,
  seconds: number,
  signal: AbortSignal,
): Promise<FileHandle | undefined> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    try {
      return await open(
        path,
        constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK | O_EXLOCK,
        0o644,
      );
    } catch (error) {
      if (systemCode(error) !== 'EAGAIN') throw error;
      if (performance.now() >= deadline) return undefined;
    }
    await delay(macLookAgainMs, undefined, { signal });
  }
}

async function sign(handle: FileHandle, { holder, owner }: LockWish): Promise<void> {
  await give(handle, owner);
  // On a full disk the lock holds all the same, and its holder stays unnamed.
  await handle
    .truncate(0)
    .then(() => handle.write(`${holder} (pid ${process.pid})\n`, 0))
    .catch(() => undefined);
}

function heldLock(path: string, handle: FileHandle): FileLock {
  let held = true;
  return {
    isHeld: async () => held && (await leadsTo(path, handle)),
    async [Symbol.asyncDispose]() {
      if (!held) return;
      held = false;
      await handle.truncate(0).catch(() => undefined);
      await handle.close();
    },
  };
}

async function leadsTo(path: string, handle: FileHandle): Promise<boolean> {
  const mine = await handle.stat({ bigint: true });
  const there = await stat(path, { bigint: true }).catch(() => undefined);
  return there?.ino === mine.ino && there.dev === mine.dev;
}

async function busy(path: string, { what, patience }: LockWish): Promise<AixclError> {
  const holder = (await signature(path)) || 'another aixcl';
  return new AixclError(
    'busy',
    `${holder} is at work on ${what}${patience ? `, and was for ${patience} s` : ''}`,
    { hint: 'Wait for it, then run the command again; --wait-lock SECONDS waits.' },
  );
}

/** A holder signs right after it has the lock. */
async function signature(path: string): Promise<string> {
  for (let tries = 0; tries < 20; tries += 1) {
    const text = await signed(path);
    if (text) return text;
    await delay(10);
  }
  return '';
}

async function signed(path: string): Promise<string> {
  return (await readFile(path, 'utf8').catch(() => '')).trim();
}
