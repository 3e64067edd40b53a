import { tensorTypes } from './format.ts';
import type { GgufHeader } from './header.ts';
import { elementCount, tensorBytes } from './structure.ts';

/** What people want to know of a GGUF file; null where the file does not say. */
export interface GgufSummary {
  readonly architecture: string | null;
  /** The model's own name for itself. */
  readonly title: string | null;
  readonly role: GgufRole;
  /** Weights in this file. */
  readonly parameters: number;
  readonly quantization: string | null;
  /** Tokens. */
  readonly contextLength: number | null;
  readonly chatTemplate: string | null;
  readonly license: string | null;
  /** Number of shards, 1 for a model of one file. */
  readonly shards: number;
}

/**
 * What a file can be used for. `projector`: image or audio encoder beside a model. `adapter`, `other` (a vocabulary, an importance matrix):
 * llama-server can't serve these by themselves.
 */
export type GgufRole = 'model' | 'embedding' | 'projector' | 'adapter' | 'other';

export function summarize(header: GgufHeader): GgufSummary {
  const architecture = text(header, 'general.architecture');
  return {
    architecture,
    title: text(header, 'general.name'),
    role: roleOf(header, architecture),
    parameters: Number(header.tensors.reduce((sum, tensor) => sum + elementCount(tensor), 0n)),
    quantization: quantizationOf(header),
    contextLength: number(header, `${architecture}.context_length`),
    chatTemplate: text(header, 'tokenizer.chat_template'),
    license: text(header, 'general.license'),
    shards: Math.max(1, number(header, 'split.count') ?? 1),
  };
}

/** Architectures of llama.cpp that only embed text (`llama-arch.cpp`); `*-embedding` ones say so in their name. */
const embeddingArchitectures: ReadonlySet<string> = new Set([
  'bert',
  'eurobert',
  'gemma-embedding',
  'jina-bert-v2',
  'jina-bert-v3',
  'modern-bert',
  'neo-bert',
  'nomic-bert',
  'nomic-bert-moe',
  't5encoder',
]);

function roleOf(header: GgufHeader, architecture: string | null): GgufRole {
  const type = text(header, 'general.type');
  if (architecture === 'clip' || type === 'mmproj') return 'projector';
  if (type === 'adapter') return 'adapter';
  if (type === 'vocab' || type === 'imatrix' || architecture === 'imatrix') return 'other';
  if (architecture && embeddingArchitectures.has(architecture)) return 'embedding';
  return 'model';
}

/** `enum llama_ftype` of `llama.h`: what most weights of the file are, by its author's word. */
const fileTypes: ReadonlyMap<number, string> = new Map([
  [0, 'F32'],
  [1, 'F16'],
  [2, 'Q4_0'],
  [3, 'Q4_1'],
  [7, 'Q8_0'],
  [8, 'Q5_0'],
  [9, 'Q5_1'],
  [10, 'Q2_K'],
  [11, 'Q3_K_S'],
  [12, 'Q3_K_M'],
  [13, 'Q3_K_L'],
  [14, 'Q4_K_S'],
  [15, 'Q4_K_M'],
  [16, 'Q5_K_S'],
  [17, 'Q5_K_M'],
  [18, 'Q6_K'],
  [19, 'IQ2_XXS'],
  [20, 'IQ2_XS'],
  [21, 'Q2_K_S'],
  [22, 'IQ3_XS'],
  [23, 'IQ3_XXS'],
  [24, 'IQ1_S'],
  [25, 'IQ4_NL'],
  [26, 'IQ3_S'],
  [27, 'IQ3_M'],
  [28, 'IQ2_S'],
  [29, 'IQ2_M'],
  [30, 'IQ4_XS'],
  [31, 'IQ1_M'],
  [32, 'BF16'],
  [36, 'TQ1_0'],
  [37, 'TQ2_0'],
  [38, 'MXFP4'],
]);

/** What a `general.file_type` is called; null: it is none that is known. */
export function fileTypeName(fileType: number | null): string | null {
  return fileTypes.get(fileType ?? -1) ?? null;
}

function quantizationOf(header: GgufHeader): string | null {
  const stated = fileTypeName(number(header, 'general.file_type'));
  if (stated) return stated;
  const bytesByType = new Map<number, bigint>();
  for (const tensor of header.tensors) {
    bytesByType.set(tensor.type, (bytesByType.get(tensor.type) ?? 0n) + (tensorBytes(tensor) ?? 0n));
  }
  const [most] = [...bytesByType].sort(([, a], [, b]) => (a > b ? -1 : 1));
  return most ? (tensorTypes.get(most[0])?.name ?? null) : null;
}

function text(header: GgufHeader, key: string): string | null {
  const value = header.metadata.get(key);
  return typeof value === 'string' ? value : null;
}

function number(header: GgufHeader, key: string): number | null {
  const value = header.metadata.get(key);
  if (typeof value === 'number') return value;
  return typeof value === 'bigint' ? Number(value) : null;
}
