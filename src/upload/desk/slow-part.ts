import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

/** In which one that has nothing to wait for answers, in milliseconds. */
const momentMs = 300;

/** A part that others have to be asked for, who may take their time: asked in the background, every few seconds at most. */
export class SlowPart<T> {
  readonly #look: () => Promise<T>;
  readonly #everyMs: number;
  #value: T;
  #asked = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  #answered = false;

  /** `look` never throws. */
  constructor(empty: T, everyMs: number, look: () => Promise<T>) {
    this.#value = empty;
    this.#everyMs = everyMs;
    this.#look = look;
  }

  get value(): T {
    return this.#value;
  }

  /**
   * Asks when it is time, and waits so many milliseconds for the answer, for the very first one a moment at least; one that is other and comes
   * later is told by `changed`.
   */
  async refresh(patienceMs: number, changed: () => void): Promise<void> {
    if (!this.#running && performance.now() - this.#asked >= this.#everyMs) {
      this.#asked = performance.now();
      this.#running = this.#ask(changed).finally(() => {
        this.#running = undefined;
      });
    }
    const longest = this.#answered ? patienceMs : Math.max(patienceMs, momentMs);
    if (longest > 0 && this.#running) {
      await Promise.race([this.#running, delay(longest, undefined, { ref: false })]);
    }
  }

  async #ask(changed: () => void): Promise<void> {
    const value = await this.#look();
    this.#answered = true;
    if (isDeepStrictEqual(value, this.#value)) return;
    this.#value = value;
    changed();
  }
}
