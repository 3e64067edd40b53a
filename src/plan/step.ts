/**
 * A plan is plain data: an ordered list of steps, each with the reason why it is there. Planners are pure; `apply` decides nothing.
 * Each noun states its own step kinds as a map from kind to arguments and gets its union type from `Step`.
 */
export type Step<Kinds> = {
  [K in keyof Kinds]: { readonly kind: K; readonly because: string } & Kinds[K];
}[keyof Kinds];

/** What became of one step; the `steps` of a JSON `result`. */
export interface StepOutcome {
  readonly kind: string;
  /** Name of what the step acted on. */
  readonly target: string;
  readonly outcome: 'done' | 'kept' | 'failed' | 'skipped' | 'planned';
  readonly because: string;
}

/** What every changing command returns, and `--format json` prints. */
export interface Result {
  readonly command: string;
  readonly changed: boolean;
  readonly steps: readonly StepOutcome[];
}
