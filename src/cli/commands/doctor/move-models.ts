import { AixclError } from '../../../errors.ts';
import { quoted } from '../../../models/model-name.ts';
import { bringModel, observeStores } from '../../../models/ollama/bring-over.ts';
import { assertRoomFor, type BringStep, planBringOver } from '../../../models/ollama/bring-over-plan.ts';
import { shownName } from '../../../models/ollama/name.ts';
import type { OllamaStore } from '../../../models/ollama/store.ts';
import type { StepOutcome } from '../../../plan/step.ts';
import type { Context } from '../../context.ts';
import type { Outcomes } from '../../outcomes.ts';
import { working } from '../../working.ts';
import type { Work } from '../wiring/operation.ts';
import type { FoundStore } from './move-source.ts';

/** What is to come from one store into another. */
export interface BringWish {
  readonly from: FoundStore;
  readonly into: OllamaStore;
}

/** Looks at both stores and plans; changes nothing. Throws `noSpace` when what is to come does not fit. */
export async function planOf({ from, into }: BringWish): Promise<readonly BringStep[]> {
  const steps = planBringOver(await observeStores(from, into));
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
  { from, into }: BringWish,
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
        const hands = { from, store: into, into: writing, writer };
        await working(context, `Bringing ${quoted(name)}`, step.model.size, (options) =>
          bringModel(step.model, hands, options),
        );
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
