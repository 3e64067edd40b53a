/** Milliseconds for which an upload has to be missing: a state that lacks it may be older than it, or than the model that it became. */
export const settling = 1500;

/** Since when the server has no such upload any more. */
export class Absence {
  readonly #since = new Map<string, number>();

  /** When `key` was found to be missing first; null: it is there. */
  see(key: string, isThere: boolean, now: number): number | null {
    if (isThere) {
      this.#since.delete(key);
      return null;
    }
    const since = this.#since.get(key) ?? now;
    this.#since.set(key, since);
    return since;
  }

  forget(key: string): void {
    this.#since.delete(key);
  }
}
