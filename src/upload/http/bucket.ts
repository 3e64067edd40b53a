/** Milliseconds, only ever forward. */
export type Clock = () => number;

/** Lets so many through at once, and then so many a second. */
export class Bucket {
  readonly #most: number;
  readonly #perSecond: number;
  readonly #now: Clock;
  #level: number;
  #seen: number;

  constructor(most: number, perSecond: number, now: Clock) {
    this.#most = most;
    this.#perSecond = perSecond;
    this.#now = now;
    this.#level = most;
    this.#seen = now();
  }

  /** 0: let through. Else how many seconds to wait, at least 1. */
  take(): number {
    const now = this.#now();
    this.#level = Math.min(this.#most, this.#level + ((now - this.#seen) / 1000) * this.#perSecond);
    this.#seen = now;
    if (this.#level >= 1) {
      this.#level -= 1;
      return 0;
    }
    return Math.max(1, Math.ceil((1 - this.#level) / this.#perSecond));
  }
}
