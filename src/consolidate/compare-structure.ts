import type { GgufHeader, GgufTensor } from '../models/gguf/header.ts';

/**
 * How a merged model differs from its base, in words; empty when it is built as the base is: the same architecture, vocabulary, tensors and
 * shapes. Types may differ. Says nothing about the weights.
 */
export function compareStructure(base: readonly GgufHeader[], merged: GgufHeader): string[] {
  const differences: string[] = [];
  const [first] = base;
  for (const [key, of] of [
    ['general.architecture', 'the architecture'],
    ['tokenizer.ggml.tokens', 'the vocabulary'],
  ] as const) {
    const [was, is] = [shown(first?.metadata.get(key)), shown(merged.metadata.get(key))];
    if (was !== is) differences.push(`${of} is ${is}, and of the base ${was}`);
  }
  const expected = new Map(base.flatMap(({ tensors }) => tensors).map((tensor) => [tensor.name, tensor]));
  const found = new Map(merged.tensors.map((tensor) => [tensor.name, tensor]));
  if (found.size !== expected.size) {
    differences.push(`it has ${found.size} tensors, and the base ${expected.size}`);
  }
  for (const [name, tensor] of expected) {
    const its = found.get(name);
    if (!its) differences.push(`it lacks the tensor ${name}`);
    else if (shape(its) !== shape(tensor)) {
      differences.push(`its tensor ${name} is ${shape(its)}, and the base's ${shape(tensor)}`);
    }
  }
  for (const name of found.keys()) {
    if (!expected.has(name)) differences.push(`it has the tensor ${name}, which the base does not have`);
  }
  return differences;
}

function shape(tensor: GgufTensor): string {
  return tensor.shape.join(' x ');
}

function shown(value: unknown): string {
  if (value === undefined) return 'not said';
  if (typeof value === 'object' && value && 'length' in value) return `of ${String(value.length)} tokens`;
  return String(value);
}
