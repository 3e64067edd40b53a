import type { Lock, Locker, RequestRelease } from '@tus/server';

/** Milliseconds that a request waits for its turn; then it is told to come again. */
const patience = 3000;
/** Milliseconds without a byte after which a sender is taken for gone: his connection may be cut without anybody telling us. */
const silence = 1000;

interface Holder {
  readonly release: RequestRelease;
  /** Milliseconds of the clock. */
  since: number;
}

export interface Sending {
  /** When an upload got its last byte, in milliseconds of the clock. */
  lastByte(id: string): number;
  /** Ends what is being written of it. */
  interrupt(id: string): void;
}

/**
 * One request at a time for each upload. Who still sends keeps his turn, and a second one is told 423; who has fallen silent loses it to the
 * next, so that a client whose connection was cut can go on at once.
 */
export class Turns implements Locker {
  readonly #holders = new Map<string, Holder>();
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #sending: Sending;

  constructor(sending: Sending) {
    this.#sending = sending;
  }

  newLock(id: string): Lock {
    let holder: Holder | undefined;
    return {
      lock: async (signal, release) => {
        holder = {
          release: async () => {
            this.#sending.interrupt(id);
            await release();
          },
          since: 0,
        };
        await this.#take(id, holder, signal);
      },
      unlock: async () => {
        if (this.#holders.get(id) === holder) this.#holders.delete(id);
        this.#wake(id);
      },
    };
  }

  /** Ends the request whose turn it is. */
  async interrupt(id: string): Promise<void> {
    await this.#holders.get(id)?.release();
  }

  /** Ends all requests whose turn it is, and resolves when none has one. */
  async interruptAll(): Promise<void> {
    await Promise.all(
      [...this.#holders].map(async ([id, { release }]) => {
        await release();
        while (this.#holders.has(id)) await this.#wait(id, patience);
      }),
    );
  }

  async #take(id: string, holder: Holder, signal: AbortSignal): Promise<void> {
    const began = Date.now();
    for (let other = this.#holders.get(id); other; other = this.#holders.get(id)) {
      const now = Date.now();
      if (signal.aborted || now - began > patience) throw taken;
      if (now - Math.max(this.#sending.lastByte(id), other.since) >= silence) await other.release();
      await this.#wait(id, silence / 4);
    }
    holder.since = Date.now();
    this.#holders.set(id, holder);
  }

  /** Until a turn ends, or so many milliseconds. */
  async #wait(id: string, most: number): Promise<void> {
    const waiting = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, waiting);
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        waiting.delete(wake);
        if (waiting.size === 0) this.#waiting.delete(id);
        resolve();
      };
      const timer = setTimeout(wake, most);
      waiting.add(wake);
    });
  }

  #wake(id: string): void {
    for (const wake of this.#waiting.get(id) ?? []) wake();
  }
}

const taken = { status_code: 423, body: 'Somebody else sends bytes of this upload\n' };
