import { isDeepStrictEqual } from 'node:util';
import { reasonOf } from '../../errors.ts';

export interface Looking<T> {
  /** Cheap; another text when what `look` reads may have changed. */
  mark(): Promise<string>;
  look(): Promise<T>;
  /** Shown before the first look, and while it can't be looked at. */
  readonly empty: T;
}

/** A part of what the page shows. It is read again when its mark has changed, and keeps its value's identity while that stays the same. */
export class Part<T> {
  readonly #looking: Looking<T>;
  #mark: string | undefined;
  #value: T;
  #problem: string | null = null;

  constructor(looking: Looking<T>) {
    this.#looking = looking;
    this.#value = looking.empty;
  }

  get value(): T {
    return this.#value;
  }

  /** Why it can't be looked at. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Answers whether it changed. One at a time. */
  async refresh(): Promise<boolean> {
    try {
      // Before the look: what changes meanwhile is seen the next time.
      const mark = await this.#looking.mark();
      if (mark === this.#mark) return false;
      const value = await this.#looking.look();
      this.#mark = mark;
      return this.#set(value, null);
    } catch (error) {
      this.#mark = undefined;
      return this.#set(this.#looking.empty, reasonOf(error));
    }
  }

  #set(value: T, problem: string | null): boolean {
    const same = isDeepStrictEqual(value, this.#value);
    if (same && problem === this.#problem) return false;
    if (!same) this.#value = value;
    this.#problem = problem;
    return true;
  }
}
