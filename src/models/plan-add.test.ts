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

function printed(orders: readonly ObservedOrder[], free = 1000, total = 1000): string {
  const plan = planAdd(orders, { free, total });
  const steps = plan.steps.map((step) => {
    const name = step.kind === 'add' ? `${step.order.name} ${step.bytes}` : step.name;
    return `${step.kind} ${name}: ${step.because}`;
  });
  return [...steps, `needed ${plan.needed}, left ${plan.left}${plan.tight ? ', tight' : ''}`].join('\n');
}

test('each source has its step and its reason', () => {
  expect(
    printed([
      { order: order('new', 100, 200), standing: 'none', held: 0 },
      { order: order('half', 100), standing: 'none', held: 40 },
      { order: order('same', 100), standing: 'same', held: 0 },
      { order: order('other', 100), standing: 'other', held: 0 },
      { order: order('unknown', null), standing: 'unknown', held: 0 },
    ]),
  ).toBe(
    [
      'add new 300: asked for',
      'add half 100: asked for; 40 bytes are here from an earlier run',
      'keep same: the same bytes are there',
      'refuse other: the name is taken by other bytes',
      'add unknown null: the name is taken, and only the bytes can tell whether by the same',
      'needed 360, left 640',
    ].join('\n'),
  );
});

test('less than a tenth of the disk left is tight; nothing to bring in never is', () => {
  const one = (held = 0): ObservedOrder => ({ order: order('a', 100), standing: 'none', held });
  expect(printed([one()], 199, 1000)).toContain('left 99, tight');
  expect(printed([one()], 200, 1000)).not.toContain('tight');
  expect(printed([one()], 50, 1000)).toContain('left -50, tight');
  expect(printed([one(60)], 50, 1000)).toContain('needed 40, left 10');
  expect(printed([{ order: order('a', 100), standing: 'same', held: 0 }], 1, 1000)).not.toContain('tight');
});
