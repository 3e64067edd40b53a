import { expect, test } from 'vitest';
import type { Order } from './intake.ts';
import type { ModelName } from './model-name.ts';
import { type ObservedOrder, planAdd } from './plan-add.ts';

function order(name: string, ...sizes: (number | null)[]): Order {
  return {
    name: name as ModelName,
    folder: sizes.length > 1,
    files: sizes.map((size, index) => ({
      name: `${name}-${index}`,
      size,
      sha256: null,
      version: null,
      location: { kind: 'path', path: '/x' },
    })),
  };
}

function printed(orders: readonly ObservedOrder[]): string {
  const plan = planAdd(orders);
  const steps = plan.steps.map((step) => {
    const name = 'name' in step ? step.name : `${step.order.name} ${step.bytes}`;
    return `${step.kind} ${name}: ${step.because}`;
  });
  return [...steps, `needed ${plan.needed}`].join('\n');
}

test('each source has its step and its reason', () => {
  expect(
    printed([
      { order: order('new', 100, 200), standing: 'none', held: 0, active: false },
      { order: order('half', 100), standing: 'none', held: 40, active: false },
      { order: order('same', 100), standing: 'same', held: 0, active: false },
      { order: order('other', 100), standing: 'other', held: 0, active: false },
      { order: order('unknown', null), standing: 'unknown', held: 0, active: false },
      { order: order('served', 100), standing: 'other', held: 0, active: true },
      { order: order('perhaps', null), standing: 'unknown', held: 0, active: true },
    ]),
  ).toBe(
    [
      'add new 300: asked for',
      'add half 100: asked for; 40 B are here from an earlier run',
      'keep same: the same bytes are there',
      'update other 100: the name is taken by other bytes',
      'update unknown null: the name is taken, and only the bytes can tell whether by the same',
      'refuse served: llama-server serves it, with other bytes',
      'add perhaps null: asked for',
      'needed 460',
    ].join('\n'),
  );
});
