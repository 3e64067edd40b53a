import { setTimeout as delay } from 'node:timers/promises';
import type { Unexamined } from '../../../doctor/examined.ts';
import { AixclError, reasonOf } from '../../../errors.ts';

/** Milliseconds that a part has; whatever hangs is then told, and the others are not held up. */
const patienceMs = 5000;

export interface Obstructed extends Unexamined {
  /** True of a part that nobody can look at without the engine. */
  readonly asksEngine: boolean;
  readonly cause: unknown;
}

/** Looks at the parts side by side, and notes which could not be looked at. */
export class Examination {
  readonly unexamined: Obstructed[] = [];
  readonly #signal: AbortSignal;
  readonly #timeUp: Promise<never>;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    this.#timeUp = new Promise((_, reject) => {
      setTimeout(() => reject(new TimeUp()), patienceMs).unref();
    });
    this.#timeUp.catch(() => undefined);
  }

  /** Undefined where it failed or hangs. Throws when the command was interrupted. `part`, for people: `the disks`. */
  async of<T>(
    part: string,
    look: () => Promise<T>,
    { asksEngine = false }: { readonly asksEngine?: boolean } = {},
  ): Promise<T | undefined> {
    try {
      return await this.inTime(look());
    } catch (cause) {
      this.#signal.throwIfAborted();
      const command = cause instanceof AixclError ? (cause.hint ?? null) : null;
      this.unexamined.push({ part, what: reasonOf(cause), command, cause, asksEngine });
      return undefined;
    }
  }

  /** Throws `TimeUp` when it hangs. */
  inTime<T>(work: Promise<T>): Promise<T> {
    // What comes after the time is nobody's any more.
    work.catch(() => undefined);
    return Promise.race([work, this.#timeUp]);
  }
}

export class TimeUp extends Error {
  constructor() {
    super(`no answer within ${patienceMs / 1000} s`);
  }
}

/** Milliseconds for what a part of its own would rather know: it is looked at without, where an engine hangs. */
const shortPatienceMs = 2000;

/** Undefined where it fails, or takes longer than is worth waiting for. */
export async function ifKnown<T>(work: Promise<T>): Promise<T | undefined> {
  return Promise.race([work.catch(() => undefined), delay(shortPatienceMs, undefined, { ref: false })]);
}
