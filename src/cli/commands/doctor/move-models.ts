import { AixclError } from '../../../errors.ts';
import { quoted } from '../../../models/model-name.ts';
import { bringModel, observeStores } from '../../../models/ollama/bring-over.ts';
import { assertRoomFor, type BringStep, key, planBringOver } from '../../../models/ollama/bring-over-plan.ts';
import { shownName } from '../../../models/ollama/name.ts';
import type { OllamaStore } from '../../../models/ollama/store.ts';
import type { StepOutcome } from '../../../plan/step.ts';
import type { Work } from '../../../wiring/operation.ts';
import { working } from '../../../wiring/working.ts';
import type { Context } from '../../context.ts';
import type { Outcomes } from '../../outcomes.ts';
import type { FoundStore } from './move-source.ts';

/** What is to come from one store into another. */
export interface BringWish {
  readonly from: FoundStore;
  readonly into: OllamaStore;
  /** Names that this run brought before, by `key`; those that come are added. */
  readonly brought: Set<string>;
}

/** Looks at both stores and plans; changes nothing. Throws `noSpace` when what is to come does not fit. */
export async function planOf({ from, into, brought }: BringWish): Promise<readonly BringStep[]> {
  const steps = planBringOver(await observeStores(from, into), brought);
  if (toBring(steps).length > 0) assertRoomFor(steps, { place: into.place, space: await into.space() });
  return steps;
}

export type Bringing = BringStep & { readonly kind: 'bring' };

export function toBring(steps: readonly BringStep[]): Bringing[] {
  return steps.filter((step) => step.kind === 'bring');
}

export function nameOf({ model }: BringStep): string {
  return shownName(model.stored.name);
}

/** What becomes of the models that are not brought. */
export function tellOthers(steps: readonly BringStep[], outcomes: Outcomes): void {
  for (const step of steps) {
    if (step.kind === 'keep') outcomes.add({ ...described(step), outcome: 'kept' });
    if (step.kind === 'leave') outcomes.fail(step.kind, nameOf(step), reasonToLeave(step));
  }
}

/** Brings models, under the vault's lock: one after the other, each with its own outcome. Throws what stops them all. */
export async function bringAll(
  context: Context,
  { from, into, brought }: BringWish,
  steps: readonly Bringing[],
  { operation, writer }: Pick<Work, 'operation' | 'writer'>,
  outcomes: Outcomes,
): Promise<void> {
  const writing = await into.write(operation.id, context.signal);
  try {
    for (const step of steps) {
      const name = nameOf(step);
      try {
        await operation.step('bring', name, `from ${from.place}`);
        const hands = { from, store: into, into: writing, writer, brought };
        await working(context, `Bringing ${quoted(name)}`, step.model.size, (options) =>
          bringModel(step.model, hands, options),
        );
        brought.add(key(step.model.stored.name));
        outcomes.add({ ...described(step), outcome: 'done' });
      } catch (error) {
        outcomes.fail(step.kind, name, error);
        if (stopsAll(error)) throw error;
      }
    }
  } finally {
    await writing[Symbol.asyncDispose]();
  }
}

function stopsAll(error: unknown): boolean {
  return !(error instanceof AixclError) || !['verification', 'refused', 'notFound'].includes(error.code);
}

function reasonToLeave(step: BringStep & { readonly kind: 'leave' }): AixclError {
  return new AixclError(step.code, `${nameOf(step)} stays where it is: ${step.because}`, { hint: step.hint });
}

/** For a result; `size`: bytes of the model, `copied`: those that were not here. */
export function described(step: BringStep): Omit<StepOutcome, 'outcome'> & { size: number; copied: number } {
  const copied = step.kind === 'bring' ? step.copied.reduce((sum, { size }) => sum + size, 0) : 0;
  return { kind: step.kind, target: nameOf(step), because: step.because, size: step.model.size, copied };
}

/** All of it comes, or Ollama stays where it is: what stayed behind would be missed as soon as it works elsewhere. */
export function refuseParts(models: readonly BringStep[], place: string): void {
  const staying = models.filter((step) => step.kind === 'leave');
  if (staying.length === 0) return;
  throw new AixclError('verification', `not all that is in ${place} can be moved`, {
    hint: 'aixcl models verify --repair, or aixcl models remove, which keeps what is there in the vault',
    evidence: staying.map((step) => `${nameOf(step)}: ${step.because}`),
  });
}
