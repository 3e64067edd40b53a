import { createHash } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { AixclError, systemCode } from '../errors.ts';

export interface ClaimWish {
  /** What is claimed, for the error of whoever comes second: `the stack`. */
  readonly what: string;
  /** What others are told of this process: `stack start`. */
  readonly holder: string;
  /** Seconds to wait for another to let go. */
  readonly patience?: number;
  readonly signal?: AbortSignal;
}

const lookAgainMs = 100;

/**
 * Claims `key` for this process, or throws `busy` with who has it. The claim is a name in Linux' abstract socket namespace: the kernel
 * drops it with the process, however that ends, and nothing stale is left on the disk. Elsewhere there is no such thing, and nothing is
 * claimed.
 */
export async function claim(key: string, wish: ClaimWish): Promise<AsyncDisposable> {
  if (process.platform !== 'linux') return { async [Symbol.asyncDispose]() {} };
  const name = `\0aixcl-${createHash('sha256').update(key).digest('hex')}`;
  const deadline = performance.now() + (wish.patience ?? 0) * 1000;
  for (;;) {
    const claimed = await tryToClaim(name, wish.holder);
    if (claimed) return claimed;
    if (performance.now() >= deadline) throw await busy(name, wish);
    await delay(lookAgainMs, undefined, wish.signal ? { signal: wish.signal } : {});
  }
}

async function tryToClaim(name: string, holder: string): Promise<AsyncDisposable | undefined> {
  const server = createServer((asking) => {
    asking.on('error', () => {});
    asking.end(`${holder} (pid ${process.pid})`);
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path: name, exclusive: true }, resolve);
    });
  } catch (error) {
    if (systemCode(error) === 'EADDRINUSE') return undefined;
    throw error;
  }
  server.unref();
  return {
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

async function busy(name: string, { what, patience }: ClaimWish): Promise<AixclError> {
  const holder = (await ask(name)) || 'another aixcl';
  return new AixclError(
    'busy',
    `${holder} is at work on ${what}${patience ? `, and was for ${patience} s` : ''}`,
    {
      hint: 'Wait for it, then run the command again.',
    },
  );
}

/** What the holder says of itself; empty when it is gone or says nothing in time. */
function ask(name: string): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    const socket = connect({ path: name, timeout: 500 });
    socket.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    for (const event of ['end', 'timeout', 'error'] as const) {
      socket.on(event, () => {
        socket.destroy();
        resolve(said);
      });
    }
  });
}
