import { AixclError } from '../errors.ts';
import type { StepOutcome } from '../plan/step.ts';
import type { StartHands } from './apply-start.ts';
import { describe } from './start-report.ts';
import type { StartStep } from './start-step.ts';

/** Keeps what became of each step, and tells it. */
export class StepRecorder {
  readonly outcomes: StepOutcome[] = [];
  readonly #seen = new Set<StartStep>();
  readonly #hands: Pick<StartHands, 'signal' | 'report'>;

  constructor(hands: Pick<StartHands, 'signal' | 'report'>) {
    this.#hands = hands;
  }

  async run(step: StartStep, work: () => Promise<void>): Promise<void> {
    this.#hands.signal.throwIfAborted();
    this.#seen.add(step);
    this.#hands.report.begin(step);
    try {
      await work();
    } catch (error) {
      this.outcomes.push({ ...describe(step), outcome: 'failed' });
      const named = withService(step, error);
      this.#hands.report.end(step, named);
      throw named;
    }
    this.outcomes.push({ ...describe(step), outcome: step.kind === 'keep' ? 'kept' : 'done' });
    this.#hands.report.end(step);
  }

  skip(steps: readonly StartStep[]): void {
    for (const step of steps) {
      if (!this.#seen.has(step)) this.outcomes.push({ ...describe(step), outcome: 'skipped' });
    }
  }
}

/** An engine speaks of ids; people know services. */
function withService(step: StartStep, error: unknown): unknown {
  if (!('service' in step) || !(error instanceof AixclError) || error.code !== 'unexpected') return error;
  return new AixclError('unexpected', `${step.service}: ${error.message}`, {
    hint: error.hint ?? `docker inspect ${describe(step).target}`,
    cause: error,
    evidence: error.evidence,
  });
}
