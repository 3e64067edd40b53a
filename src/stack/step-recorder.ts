import { AixclError } from '../errors.ts';
import type { StepOutcome } from '../plan/step.ts';
import type { StartHands } from './apply-start.ts';
import { describe } from './start-report.ts';
import type { StartStep } from './start-step.ts';

/** Notes each change in the journal before it is made, keeps what became of each step, and tells it. */
export class StepRecorder {
  readonly outcomes: StepOutcome[] = [];
  readonly #seen = new Set<StartStep>();
  readonly #hands: Pick<StartHands, 'signal' | 'report' | 'note'>;

  constructor(hands: Pick<StartHands, 'signal' | 'report' | 'note'>) {
    this.#hands = hands;
  }

  /** `evenAborted`: also once the command was interrupted. */
  async run(
    step: StartStep,
    work: () => Promise<void>,
    { evenAborted = false }: { readonly evenAborted?: boolean } = {},
  ): Promise<void> {
    if (!evenAborted) this.#hands.signal.throwIfAborted();
    this.#seen.add(step);
    this.#hands.report.begin(step);
    try {
      if (isChange(step)) {
        const { kind, target, because } = describe(step);
        await this.#hands.note(kind, target, because);
      }
      await work();
    } catch (error) {
      this.outcomes.push({ ...describe(step), outcome: 'failed' });
      const named = withService(step, error);
      this.#hands.report.end(step, named);
      throw named;
    }
    this.outcomes.push({ ...describe(step), outcome: isKept(step) ? 'kept' : 'done' });
    this.#hands.report.end(step);
  }

  skip(steps: readonly StartStep[]): void {
    for (const step of steps) {
      if (this.#seen.has(step)) continue;
      this.#seen.add(step);
      this.outcomes.push({ ...describe(step), outcome: 'skipped' });
      this.#hands.report.skip(step);
    }
  }
}

export function isChange(step: StartStep): boolean {
  return !isKept(step) && step.kind !== 'wait';
}

function isKept({ kind }: StartStep): boolean {
  return kind === 'keep' || kind === 'keep-aside';
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
