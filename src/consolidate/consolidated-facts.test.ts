import { expect, test } from 'vitest';
import { type Consolidated, consolidatedFacts, sameMaking } from './consolidated-facts.ts';

const file = (path: string, sum: string) => ({ path, sha256: sum.repeat(64) });
const made: Consolidated = {
  base: { name: 'tea.gguf', files: [file('tea.gguf', 'a')] },
  adapter: { name: '/lora', version: '/lora@v001', files: [file('adapter/x', 'b'), file('adapter/y', 'c')] },
  way: { command: null, scale: 2, type: null, quantize: 'Q8_0' },
};

test('the same files merged in the same way are the same, whatever they are called by now', () => {
  const renamed = {
    base: { name: 'milk.gguf', files: [file('milk.gguf', 'a')] },
    adapter: { files: [file('y', 'c'), file('x', 'b')] },
    way: { quantize: 'Q8_0', type: null, command: null, scale: 2 },
  };
  expect(sameMaking(made, renamed)).toBe(true);
});

test.each<[string, Partial<Consolidated>]>([
  ['base', { base: { name: 'tea.gguf', files: [file('tea.gguf', 'd')] } }],
  ['adapter', { adapter: { ...made.adapter, files: [file('x', 'b')] } }],
  ['scale', { way: { ...made.way, scale: 1 } }],
  ['quantization', { way: { ...made.way, quantize: null } }],
  ['command', { way: { ...made.way, command: 'python3 merge.py' } }],
])('another %s makes another model', (_what, change) => {
  expect(sameMaking(made, { ...made, ...change })).toBe(false);
});

test('what a record lacks, or has wrong, makes it none of a consolidation', () => {
  expect(consolidatedFacts({ consolidated: made })).toEqual(made);
  for (const facts of [{}, { consolidated: null }, { consolidated: { ...made, way: {} } }]) {
    expect(consolidatedFacts(facts)).toBeNull();
  }
});
