import type { Step } from '../plan/step.ts';
import type { Order } from './intake.ts';
import type { ModelName } from './model-name.ts';

/** Steps of `models add`. `add` brings a model in, `keep` leaves one that is there, `refuse` leaves one whose name is taken by other bytes. */
export type AddStep = Step<{
  add: { readonly order: Order; readonly bytes: number | null };
  keep: { readonly name: ModelName };
  refuse: { readonly name: ModelName };
}>;

export interface AddPlan {
  readonly steps: readonly AddStep[];
  /** Bytes still to come. */
  readonly needed: number;
  /** Bytes that would be free afterwards. */
  readonly left: number;
  /** True when less than a tenth of the disk would be left. */
  readonly tight: boolean;
}

export interface ObservedOrder {
  readonly order: Order;
  /** How what stands under the name compares: `unknown` when only the bytes themselves can tell. */
  readonly standing: 'none' | 'same' | 'other' | 'unknown';
  /** Bytes of it that an earlier run left. */
  readonly held: number;
}

export function planAdd(
  orders: readonly ObservedOrder[],
  space: { readonly free: number; readonly total: number },
): AddPlan {
  let needed = 0;
  const steps = orders.map(({ order, standing, held }): AddStep => {
    const { name } = order;
    if (standing === 'same') return { kind: 'keep', because: 'the same bytes are there', name };
    if (standing === 'other') return { kind: 'refuse', because: 'the name is taken by other bytes', name };
    const sizes = order.files.map((file) => file.size);
    const bytes = sizes.every((size) => size !== null) ? sizes.reduce((sum, size) => sum + size, 0) : null;
    needed += Math.max(0, (bytes ?? 0) - held);
    const because =
      standing === 'unknown'
        ? 'the name is taken, and only the bytes can tell whether by the same'
        : held > 0
          ? `asked for; ${held} bytes are here from an earlier run`
          : 'asked for';
    return { kind: 'add', because, order, bytes };
  });
  const left = space.free - needed;
  return { steps, needed, left, tight: needed > 0 && left < space.total / 10 };
}
