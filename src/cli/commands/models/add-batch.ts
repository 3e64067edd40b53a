import type { Need } from '../../../models/room.ts';
import type { Runtime } from '../../../models/source.ts';
import type { Operation } from '../../../plan/journal.ts';
import type { StepOutcome } from '../../../plan/step.ts';

/** What the sources for one runtime come down to, observed and planned; nothing of it is done yet. */
export interface Batch {
  readonly items: readonly AddItem[];
  /** What comes to which disk, what is saved first included. */
  readonly needs: readonly Need[];
}

export interface AddItem {
  readonly kind: 'add' | 'update' | 'keep' | 'refuse';
  readonly target: string;
  readonly runtime: Runtime;
  readonly because: string;
  /** Bytes that it brings; null when nobody knows how many. */
  readonly bytes: number | null;
  /** A fact to be agreed to before anything is done. */
  readonly question: string | null;
  /** Does it; throws the AixclError that is its outcome when it fails. */
  apply(operation: Operation): Promise<StepOutcome>;
}

/** A source that can't be planned, and why. */
export interface FailedSource {
  readonly source: string;
  readonly error: unknown;
}
