import { AixclError } from '../errors.ts';
import type { Extent, GgufHeader } from '../models/gguf/header.ts';
import { bytesOfTensor, encodeCounts, encodeKey, encodeTensorInfos, pad } from '../models/gguf/write.ts';
import { type BaseModel, type BaseTensor, readBase } from './base-model.ts';
import { type FloatType, floatTypes, isFloatType, isNarrowed } from './float-types.ts';
import { fitLora, type LoraFactors, readLora } from './lora.ts';

export interface MergeWish {
  /** Type of the merged model's matrices; absent: each tensor keeps its own. */
  readonly type?: FloatType | undefined;
  /** The adapter was trained with rsLoRA: its scale is alpha / sqrt(rank). A GGUF adapter does not say so itself. */
  readonly rsLora?: boolean | undefined;
}

/** What a merge does to each tensor, and where each goes. Plain data: all that carrying it out needs but the bytes. */
export interface MergePlan {
  readonly architecture: string;
  /** In the order of the file that is written. */
  readonly tensors: readonly PlannedTensor[];
  readonly header: PlannedHeader;
  /** Tensors of the adapter that are left out, as llama.cpp leaves them out. */
  readonly ignored: readonly string[];
  /** Bytes of the file that is written. */
  readonly bytes: number;
  /** Multiplications with an addition each. */
  readonly macs: number;
}

export interface PlannedTensor {
  readonly name: string;
  /** Elements per dimension, the contiguous one first. */
  readonly shape: readonly number[];
  readonly from: {
    readonly file: number;
    readonly at: number;
    readonly bytes: number;
    readonly type: string;
  };
  /** Bytes from the start of the file that is written. */
  readonly to: { readonly at: number; readonly bytes: number; readonly type: string };
  readonly work: TensorWork;
}

export type TensorWork =
  | { readonly kind: 'copy' }
  | { readonly kind: 'convert'; readonly from: FloatType; readonly to: FloatType }
  | {
      readonly kind: 'merge';
      readonly from: FloatType;
      readonly to: FloatType;
      readonly lora: LoraFactors;
    };

/** The parts of the header, one after the other: an extent is copied from the base's first file. Zeros up to `bytes` follow. */
export interface PlannedHeader {
  readonly parts: readonly (Extent | Uint8Array)[];
  readonly bytes: number;
}

/** Adapter and base fit, but a tensor to be changed is quantized. */
export class BaseIsQuantized extends AixclError {
  constructor({ name, type }: BaseTensor) {
    super('refused', `The base is quantized: its tensor ${name} is of the type ${type}`, {
      hint: 'aixcl consolidate --quantize TYPE merges in F16 and quantizes the result.',
    });
    this.name = 'BaseIsQuantized';
  }
}

/**
 * `base`: the headers of its shards, in order. Throws `AixclError` naming the tensor that does not fit, or `BaseIsQuantized` when all else
 * does.
 */
export function planMerge(base: readonly GgufHeader[], adapter: GgufHeader, wish: MergeWish): MergePlan {
  const model = readBase(base);
  const lora = readLora(adapter);
  assertSameArchitecture(model, adapter);
  const factors = fitLora(lora, model, wish.rsLora ?? false);
  const works = [...model.tensors.values()].map((tensor) => ({
    tensor,
    work: workOn(tensor, factors.get(tensor.name), wish.type),
  }));
  return { architecture: model.architecture, ignored: lora.ignored, ...layOut(model, works, wish.type) };
}

function assertSameArchitecture({ architecture }: BaseModel, adapter: GgufHeader): void {
  const its = adapter.metadata.get('general.architecture');
  if (its === architecture) return;
  throw new AixclError(
    'refused',
    `The adapter is for the architecture ${String(its ?? 'unknown')}, the base is ${architecture}`,
    { hint: 'Give the base that the adapter was trained on.' },
  );
}

function workOn(
  tensor: BaseTensor,
  lora: LoraFactors | undefined,
  wished: FloatType | undefined,
): TensorWork {
  const from = tensor.type;
  if (!isFloatType(from)) {
    if (lora || (wished && isNarrowed(tensor.name, tensor.shape.length))) throw new BaseIsQuantized(tensor);
    return { kind: 'copy' };
  }
  const narrowed = isNarrowed(tensor.name, tensor.shape.length);
  const to = wished === undefined || (from === 'F32' && !narrowed) ? from : wished;
  if (lora) return { kind: 'merge', from, to, lora };
  return from === to ? { kind: 'copy' } : { kind: 'convert', from, to };
}

interface Work {
  readonly tensor: BaseTensor;
  readonly work: TensorWork;
}

function layOut(
  base: BaseModel,
  works: readonly Work[],
  wished: FloatType | undefined,
): Pick<MergePlan, 'tensors' | 'header' | 'bytes' | 'macs'> {
  const written = works.map(({ tensor: { name, shape, type }, work }) => ({
    name,
    shape,
    type: work.kind === 'copy' ? type : work.to,
  }));
  const keys = new Map<string, Extent | Uint8Array>(base.keys);
  if (wished) {
    keys.set(
      'general.file_type',
      encodeKey('general.file_type', { type: 'uint32', value: floatTypes[wished] }),
    );
  }
  const parts = [
    encodeCounts(base.version, written.length, keys.size),
    ...keys.values(),
    encodeTensorInfos(written, base.alignment),
  ];
  const length = parts.reduce((sum, part) => sum + ('from' in part ? part.to - part.from : part.length), 0);
  let at = pad(length, base.alignment);
  const header = { parts, bytes: at };
  let macs = 0;
  const tensors = works.map(({ tensor, work }, index): PlannedTensor => {
    const { file, bytes, type, name, shape } = tensor;
    const to = { at, bytes: bytesOfTensor(written[index]!), type: written[index]!.type };
    at += pad(to.bytes, base.alignment);
    if (work.kind === 'merge') macs += work.lora.rank * shape.reduce((product, size) => product * size, 1);
    return { name, shape, from: { file, at: tensor.at, bytes, type }, to, work };
  });
  return { tensors, header, bytes: at, macs };
}
