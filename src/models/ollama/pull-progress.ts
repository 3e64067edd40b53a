import type { OllamaLayer } from './manifest.ts';
import type { PullLine } from './runtime.ts';

/**
 * How far a pull is, over all blobs together, from its lines. `expected`: the blobs that are to come; null when nobody knows: then each counts
 * from its first line on. What is there already is no progress: Ollama tells it as complete at once.
 */
export class PullProgress {
  readonly #expected: ReadonlyMap<string, number> | null;
  readonly #seen = new Map<string, { done: number; total: number }>();

  constructor(expected: readonly OllamaLayer[] | null) {
    this.#expected = expected && new Map(expected.map(({ digest, size }) => [digest, size]));
  }

  /** Bytes; null total: not known yet. */
  add({ digest, total, completed }: PullLine): void {
    if (digest === undefined || total === undefined) return;
    if (this.#expected && !this.#expected.has(digest)) return;
    const before = this.#seen.get(digest);
    // First heard of as complete: it was there.
    if (!this.#expected && !before && completed === total) return;
    this.#seen.set(digest, { done: completed ?? before?.done ?? 0, total });
  }

  get done(): number {
    return [...this.#seen.values()].reduce((sum, { done }) => sum + done, 0);
  }

  get total(): number | null {
    const sizes = this.#expected
      ? [...this.#expected.values()]
      : [...this.#seen.values()].map(({ total }) => total);
    return sizes.length === 0 ? null : sizes.reduce((sum, size) => sum + size, 0);
  }
}
