import { isDeepStrictEqual } from 'node:util';

/** A part that others have to be asked for, who may take their time: asked in the background, every few seconds at most. */
export class SlowPart<T> {
  readonly #look: () => Promise<T>;
  readonly #everyMs: number;
  #value: T;
  #asked = Number.NEGATIVE_INFINITY;
  #running: Promise<boolean> | undefined;
  #first: Promise<boolean> | undefined;

  /** `look` never throws. */
  constructor(empty: T, everyMs: number, look: () => Promise<T>) {
    this.#value = empty;
    this.#everyMs = everyMs;
    this.#look = look;
  }

  get value(): T {
    return this.#value;
  }

  /** Asks when it is time; `changed` is called when something else was answered. Resolves when there is a first answer. */
  async refresh(changed: () => void): Promise<void> {
    if (!this.#running && performance.now() - this.#asked >= this.#everyMs) {
      this.#asked = performance.now();
      this.#running = this.#ask().finally(() => {
        this.#running = undefined;
      });
      void this.#running.then((isOther) => isOther && changed());
      this.#first ??= this.#running;
    }
    await this.#first;
  }

  async #ask(): Promise<boolean> {
    const value = await this.#look();
    if (isDeepStrictEqual(value, this.#value)) return false;
    this.#value = value;
    return true;
  }
}
