import { AixclError, reasonOf } from '../errors.ts';
import type { StepOutcome } from '../plan/step.ts';

/** What became of several things that a command was asked for, each with its own outcome. */
export class Outcomes {
  readonly steps: StepOutcome[] = [];
  readonly #failures: unknown[] = [];
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  add(step: StepOutcome): void {
    this.steps.push(step);
  }

  /** Notes a failure. Throws instead when the command was interrupted. */
  fail(kind: string, target: string, error: unknown): void {
    this.#signal.throwIfAborted();
    this.steps.push({ kind, target, outcome: 'failed', because: reasonOf(error) });
    this.#failures.push(error);
  }

  get changed(): boolean {
    return this.steps.some(({ outcome }) => outcome === 'done');
  }

  get failed(): boolean {
    return this.#failures.length > 0;
  }

  /** True when the only thing asked for failed: its error then tells all. */
  get onlyFailed(): boolean {
    return this.steps.length === 1 && this.#failures.length === 1;
  }

  /** Lets the journal know how it went. */
  tell(operation: { failed(outcome: 'partly' | 'failed', because: string): void }): void {
    if (this.#failures.length === 0) return;
    operation.failed(this.changed ? 'partly' : 'failed', this.#failures.map(reasonOf).join('; '));
  }

  /** Throws what nobody foresaw; the first error when all failed; `partly` when some did. `what`: "could not be removed". */
  end(what: string): void {
    const [first] = this.#failures;
    if (first === undefined) return;
    const unforeseen = this.#failures.find((failure) => !(failure instanceof AixclError));
    if (unforeseen !== undefined) throw unforeseen;
    if (this.#failures.length === this.steps.length) throw first;
    throw new AixclError('partly', `${this.#failures.length} of ${this.steps.length} ${what}`, {
      hint: first instanceof AixclError ? first.hint : undefined,
      evidence: this.#failures.map(reasonOf),
    });
  }
}
