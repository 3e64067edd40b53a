import { expect, test } from 'vitest';
import { parseTypes, quantizedBytes } from './quantization.ts';

test("types and their sizes are read out of llama-quantize's help", () => {
  const help = `
       model-f32.gguf [model-quant.gguf] type [nthreads]
   2  or  Q4_0    :  4.34G, +0.4685 ppl @ Llama-3-8B
  38  or  MXFP4_MOE :  MXFP4 MoE
  19  or  IQ2_XXS :  2.06 bpw quantization
  12  or  Q3_K    : alias for Q3_K_M
`;
  const types = parseTypes(help);
  expect(types.map(({ name }) => name)).toEqual(['Q4_0', 'MXFP4_MOE', 'IQ2_XXS', 'Q3_K']);
  const [q4, mxfp4, iq2] = types;
  expect(q4!.bits).toBeCloseTo(4.64, 2);
  expect(mxfp4!.bits).toBeNull();
  expect(iq2!.bits).toBe(2.06);
});

test('a size is never more than what it is made from', () => {
  expect(quantizedBytes({ name: 'x', bits: 8 }, 1000, 5000)).toBe(1000);
  expect(quantizedBytes({ name: 'x', bits: 8 }, 1000, 500)).toBe(500);
  expect(quantizedBytes({ name: 'x', bits: null }, 1000, 500)).toBeNull();
});
