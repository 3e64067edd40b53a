import { AixclError } from '../errors.ts';
import { tensorTypes } from '../models/gguf/format.ts';
import type { GgufHeader, GgufTensor } from '../models/gguf/header.ts';
import type { BaseModel, BaseTensor } from './base-model.ts';

/** A LoRA adapter as llama.cpp reads it (`llama-adapter.cpp`). */
export interface Lora {
  readonly alpha: number;
  /** By the name of the tensor that they change. */
  readonly pairs: ReadonlyMap<string, { readonly a: GgufTensor; readonly b: GgufTensor }>;
  /** Norms that the adapter carries whole: llama.cpp applies none of them, so neither does the merge. */
  readonly ignored: readonly string[];
  readonly dataOffset: number;
}

/** What is added to a tensor W of shape `[columns, rows, experts]`: scale · left · right, for each expert. */
export interface LoraFactors {
  readonly rank: number;
  readonly scale: number;
  /** A row of `rank` numbers for each row of W. */
  readonly left: Factor;
  /** `rank` rows as long as those of W; with `transposed` it lies as a row of `rank` numbers for each column of W. */
  readonly right: Factor & { readonly transposed: boolean };
}

export interface Factor {
  /** Bytes from the start of the adapter's file. */
  readonly at: number;
  readonly type: FactorType;
}

const factorTypes = ['F32', 'F16', 'BF16', 'Q8_0'] as const;
export type FactorType = (typeof factorTypes)[number];

/** Throws `AixclError` when `header` is not that of a LoRA adapter which can be merged. */
export function readLora(header: GgufHeader): Lora {
  const said = (key: string) => header.metadata.get(key);
  if (said('general.type') !== 'adapter') {
    throw refused('The adapter is no adapter: its general.type does not say so', otherConverter);
  }
  if (said('adapter.type') !== 'lora') {
    throw refused(`The adapter is of the type ${String(said('adapter.type') ?? 'none')}, not lora`, ownMerge);
  }
  if (header.extents.has('adapter.alora.invocation_tokens')) {
    throw refused(
      'The adapter is an aLoRA: it acts from certain tokens on, and merged it would act on all of them',
      'Serve it beside its base: llama-server --lora.',
    );
  }
  const alpha = said('adapter.lora.alpha') ?? 0;
  if (typeof alpha !== 'number' || !Number.isFinite(alpha)) {
    throw refused(`The adapter's adapter.lora.alpha is ${String(alpha)}, not a number`, getAgain);
  }
  return { alpha, ...pairsOf(header), dataOffset: header.dataOffset };
}

function pairsOf(header: GgufHeader): Pick<Lora, 'pairs' | 'ignored'> {
  const halves = { lora_a: new Map<string, GgufTensor>(), lora_b: new Map<string, GgufTensor>() };
  const ignored: string[] = [];
  for (const tensor of header.tensors) {
    const [, name, half] = /^(.+)\.(lora_a|lora_b)$/s.exec(tensor.name) ?? [];
    if (name && half) halves[half as keyof typeof halves].set(name, tensor);
    else if (tensor.name.endsWith('_norm.weight')) ignored.push(tensor.name);
    else throw refused(`The adapter's tensor ${tensor.name} is no half of a LoRA pair`, ownMerge);
  }
  const pairs = new Map<string, { a: GgufTensor; b: GgufTensor }>();
  for (const [name, a] of halves.lora_a) {
    const b = halves.lora_b.get(name);
    if (!b) throw refused(`The adapter has ${name}.lora_a and no ${name}.lora_b`, getAgain);
    pairs.set(name, { a, b });
  }
  for (const name of halves.lora_b.keys()) {
    if (!pairs.has(name)) throw refused(`The adapter has ${name}.lora_b and no ${name}.lora_a`, getAgain);
  }
  if (pairs.size === 0) throw refused('The adapter changes no tensor', getAgain);
  return { pairs, ignored };
}

/**
 * The factors for each tensor of `base` that the adapter changes; throws `AixclError` naming the first that does not fit. Rank and scale are
 * llama.cpp's: the rank is the contiguous size of B, and an alpha of 0 stands for a scale of 1.
 */
export function fitLora(lora: Lora, base: BaseModel, rsLora: boolean): ReadonlyMap<string, LoraFactors> {
  const fitted = new Map<string, LoraFactors>();
  for (const [name, { a, b }] of lora.pairs) {
    const tensor = base.tensors.get(name);
    if (!tensor) throw refused(`The adapter changes ${name}, which the base does not have`, otherBase);
    if (name === 'token_embd.weight' && !base.tensors.has('output.weight') && !base.embedsOnly) {
      throw refused(
        'The adapter changes token_embd.weight, which the base uses for its output too: merged it would change both',
        ownMerge,
      );
    }
    const [left, right, transposed] = name.endsWith('token_embd.weight')
      ? embeddingFactors(tensor, a, b)
      : matrixFactors(tensor, a, b);
    const rank = sizes(b.shape)[0];
    const { alpha } = lora;
    const factor = (of: GgufTensor): Factor => ({
      at: lora.dataOffset + Number(of.offset),
      type: factorType(of),
    });
    fitted.set(name, {
      rank,
      scale: alpha === 0 ? 1 : alpha / (rsLora ? Math.sqrt(rank) : rank),
      left: factor(left),
      right: { ...factor(right), transposed },
    });
  }
  return fitted;
}

type Placed = readonly [left: GgufTensor, right: GgufTensor, transposed: boolean];

function matrixFactors(tensor: BaseTensor, a: GgufTensor, b: GgufTensor): Placed {
  const [columns, rows, experts, more] = sizes(tensor.shape);
  const [aColumns, aRank, aExperts, aMore] = sizes(a.shape);
  const [bRank, bRows, bExperts, bMore] = sizes(b.shape);
  const fits = columns === aColumns && rows === bRows && aRank === bRank && tensor.shape.length >= 2;
  const fitsExperts = experts === aExperts && experts === bExperts && more * aMore * bMore === 1;
  if (!fits || !fitsExperts) throw misfit(tensor, a, b);
  return [b, a, false];
}

/** Of the token embeddings A is a row for each token, and B a row for each of their numbers (`llm_graph_context::build_inp_embd`). */
function embeddingFactors(tensor: BaseTensor, a: GgufTensor, b: GgufTensor): Placed {
  const [columns, rows, ...more] = sizes(tensor.shape);
  const [aRank, aRows, ...aMore] = sizes(a.shape);
  const [bRank, bRows, ...bMore] = sizes(b.shape);
  const flat = [...more, ...aMore, ...bMore].every((size) => size === 1);
  if (columns !== bRows || rows !== aRows || aRank !== bRank || !flat) throw misfit(tensor, a, b);
  return [a, b, true];
}

function misfit(tensor: BaseTensor, a: GgufTensor, b: GgufTensor): AixclError {
  const shown = (shape: readonly (number | bigint)[]) => shape.join(' x ');
  return refused(
    `The adapter's ${tensor.name} (A ${shown(a.shape)}, B ${shown(b.shape)}) does not fit the base's, which is ${shown(tensor.shape)}`,
    otherBase,
  );
}

function factorType(tensor: GgufTensor): FactorType {
  const name = tensorTypes.get(tensor.type)?.name;
  const type = factorTypes.find((each) => each === name);
  if (type) return type;
  throw refused(
    `The adapter's tensor ${tensor.name} is of the type ${name ?? tensor.type}, not ${factorTypes.join(', ')}`,
    otherConverter,
  );
}

/** All four sizes: those that the file leaves out are 1. */
export function sizes(shape: readonly (number | bigint)[]): [number, number, number, number] {
  const [a = 1, b = 1, c = 1, d = 1] = shape.map(Number);
  return [a, b, c, d];
}

const otherBase = 'Give the base that the adapter was trained on.';
const otherConverter = 'Make it anew from the PEFT adapter with convert_lora_to_gguf.py of llama.cpp.';
const ownMerge = 'Merge it with the tool that it was trained with: aixcl consolidate --merge-command CMD.';
const getAgain = 'Get the adapter again from where it came from.';

function refused(message: string, hint: string): AixclError {
  return new AixclError('refused', message, { hint });
}
