import type { StepOutcome } from '../plan/step.ts';
import type { PullProgress } from './engine.ts';
import type { StartStep } from './start-step.ts';
import { guardName } from './volumes/guard.ts';

/** Where the course of a start is told. */
export interface StartReport {
  begin(step: StartStep): void;
  detail(step: StartStep, text: string): void;
  layer(step: StartStep, progress: PullProgress): void;
  end(step: StartStep, error?: unknown): void;
  /** It will not be begun. */
  skip(step: StartStep): void;
}

/** Kind, target and reason of a step, as a `result` shows them. */
export function describe(step: StartStep): Omit<StepOutcome, 'outcome'> {
  return { kind: step.kind, target: targetOf(step), because: step.because };
}

function targetOf(step: StartStep): string {
  switch (step.kind) {
    case 'make-directory':
      return step.path;
    case 'create-network':
      return step.network.name;
    case 'create-volume':
      return step.volume.name;
    case 'hold-volumes':
      return step.volumes.join(', ') || guardName;
    case 'pull-image':
    case 'build-image':
    case 'build-local-image':
      return step.reference;
    case 'rename':
      return `${step.from} → ${step.to}`;
    default:
      return 'name' in step ? step.name : step.service;
  }
}
