import { tensorTypeNumber, tensorTypes } from '../models/gguf/format.ts';
import type { GgufHeader, GgufTensor } from '../models/gguf/header.ts';
import { bytesOfTensor } from '../models/gguf/write.ts';
import { isFloatType, isNarrowed } from './float-types.ts';

/**
 * The headers of `base` as `llama-quantize` to F16 would have them, as far as types and sizes go: what a merge into it comes to can be planned
 * before it is made. Where tensors lie is not told.
 */
export function dequantized(base: readonly GgufHeader[]): readonly GgufHeader[] {
  return base.map((header) => ({ ...header, tensors: header.tensors.map(asFloats) }));
}

/** Bytes of the tensors. */
export function bytesOfTensors(headers: readonly GgufHeader[]): number {
  return headers
    .flatMap(({ tensors }) => tensors)
    .reduce((sum, tensor) => sum + bytesOfTensor({ ...plain(tensor), type: typeOf(tensor) ?? 'F32' }), 0);
}

export function isQuantized(headers: readonly GgufHeader[]): boolean {
  return headers.some(({ tensors }) => tensors.some((tensor) => !isFloatType(typeOf(tensor) ?? '')));
}

function asFloats(tensor: GgufTensor): GgufTensor {
  const quantized = !isFloatType(typeOf(tensor) ?? '');
  if (!quantized && !isNarrowed(tensor.name, tensor.shape.length)) return tensor;
  return { ...tensor, type: tensorTypeNumber('F16') };
}

function plain({ name, shape }: GgufTensor) {
  return { name, shape: shape.map(Number) };
}

function typeOf({ type }: GgufTensor): string | undefined {
  return tensorTypes.get(type)?.name;
}
