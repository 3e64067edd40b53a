import prettyBytes from 'pretty-bytes';
import type { Step } from '../plan/step.ts';
import type { Order } from './intake.ts';
import type { ModelName } from './model-name.ts';

/**
 * Steps of `models add` for llama-server. `add` brings a model in; `update` one whose name other bytes have, which are saved first; `keep`
 * leaves one that is there; `refuse` one that llama-server serves, as only an activation sees to it that what replaces it loads.
 */
export type AddStep = Step<{
  add: { readonly order: Order; readonly bytes: number | null };
  update: {
    readonly order: Order;
    readonly bytes: number | null;
    /** False: only the bytes themselves can tell whether there is anything to update. */
    readonly certain: boolean;
  };
  keep: { readonly name: ModelName };
  refuse: { readonly name: ModelName };
}>;

export interface AddPlan {
  readonly steps: readonly AddStep[];
  /** Bytes still to come. */
  readonly needed: number;
}

export interface ObservedOrder {
  readonly order: Order;
  /** How what stands under the name compares: `unknown` when only the bytes themselves can tell. */
  readonly standing: 'none' | 'same' | 'other' | 'unknown';
  /** Bytes of it that an earlier run left. */
  readonly held: number;
  /** True when llama-server serves what stands under the name, or is to. */
  readonly active: boolean;
}

export function planAdd(orders: readonly ObservedOrder[]): AddPlan {
  let needed = 0;
  const steps = orders.map(({ order, standing, held, active }): AddStep => {
    const { name } = order;
    if (standing === 'same') return { kind: 'keep', because: 'the same bytes are there', name };
    if (standing === 'other' && active) {
      return { kind: 'refuse', because: 'llama-server serves it, with other bytes', name };
    }
    const sizes = order.files.map((file) => file.size);
    const bytes = sizes.every((size) => size !== null) ? sizes.reduce((sum, size) => sum + size, 0) : null;
    needed += Math.max(0, (bytes ?? 0) - held);
    if (standing === 'other') {
      return { kind: 'update', because: 'the name is taken by other bytes', order, bytes, certain: true };
    }
    if (standing === 'unknown' && !active) {
      const because = 'the name is taken, and only the bytes can tell whether by the same';
      return { kind: 'update', because, order, bytes, certain: false };
    }
    const because = held > 0 ? `asked for; ${prettyBytes(held)} are here from an earlier run` : 'asked for';
    return { kind: 'add', because, order, bytes };
  });
  return { steps, needed };
}
