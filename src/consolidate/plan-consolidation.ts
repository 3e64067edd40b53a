import type { ModelName } from '../models/model-name.ts';
import type { Room } from '../models/room.ts';
import type { Step } from '../plan/step.ts';
import type { Subject } from '../vault/subject.ts';
import { type Place, roomForStages, type Stage } from './consolidation-room.ts';

/** Steps of a consolidation, in their order. `keep` is what stays as it is; `stands`: the output is there already, made of the same. */
export type ConsolidateStep = Step<{
  backup: { readonly subject: Subject; readonly size: number; readonly copied: number };
  verify: { readonly subjects: readonly Subject[] };
  version: {
    readonly subject: Subject;
    readonly size: number;
    readonly training: number;
    readonly evolution: number;
  };
  dequantize: { readonly name: string; readonly bytes: number; readonly image: string };
  merge: { readonly name: ModelName; readonly merge: PlannedMerge };
  quantize: {
    readonly name: ModelName;
    readonly type: string;
    readonly bytes: number | null;
    readonly image: string;
  };
  check: { readonly name: ModelName; readonly image: string };
  publish: { readonly name: ModelName; readonly folder: string };
  remove: { readonly subject: Subject; readonly size: number };
  keep: { readonly subject: Subject };
  stands: { readonly name: ModelName; readonly version: string };
}>;

export type PlannedMerge =
  | {
      readonly kind: 'built-in';
      /** Tensors. */
      readonly merged: number;
      readonly converted: number;
      readonly copied: number;
      /** Of the adapter, left out as llama.cpp leaves them out. */
      readonly ignored: readonly string[];
      readonly alpha: number;
      readonly rank: number;
      readonly scale: number;
      /** Why that scale; begins with a small letter. */
      readonly scaleBecause: string;
      /** Of most weights, for people: `F16`. */
      readonly type: string;
      readonly bytes: number;
      readonly threads: number;
      /** Bytes. */
      readonly memory: number;
    }
  | { readonly kind: 'command'; readonly command: string };

export interface ObservedConsolidation {
  readonly base: Saved & { readonly quantization: string | null; readonly weights: number };
  readonly adapter: Saved;
  readonly records: {
    /** Files of training data, and of the run. */
    readonly training: number;
    readonly evolution: number;
    /** Bytes of the run's. */
    readonly evolutionBytes: number;
  };
  readonly output: ModelName;
  /** Id of the version that the output is, where an earlier run made it of the same. */
  readonly made: string | null;
  /** Bytes of the base in F16, where it has to be turned into that first. */
  readonly dequantized: number | null;
  readonly merge: PlannedMerge;
  readonly quantize: { readonly type: string; readonly bytes: number | null } | null;
  readonly images: { readonly server: string; readonly quantizer: string | null };
  readonly removeAdapter: boolean;
  readonly models: Place;
  readonly vault: Place;
  /** Both lie on one. */
  readonly sameDisk: boolean;
}

export interface Saved {
  readonly subject: Subject;
  readonly size: number;
  /** Bytes that the vault lacks. */
  readonly copied: number;
}

export interface ConsolidationPlan {
  readonly steps: readonly ConsolidateStep[];
  /** Of each disk that something comes to. */
  readonly rooms: readonly Room[];
}

export function planConsolidation(observed: ObservedConsolidation): ConsolidationPlan {
  const { base, adapter, output, made } = observed;
  const keepBase: ConsolidateStep = { kind: 'keep', because: 'a merge only reads it', subject: base.subject };
  const end: ConsolidateStep[] = [keepBase, endOf(observed)];
  if (made !== null) {
    const because = `it is there as ${made}, made of the same base and adapter in the same way`;
    return { steps: [{ kind: 'stands', because, name: output, version: made }, ...end], rooms: [] };
  }
  const subject: Subject = { runtime: 'llama-server', name: output };
  const { training, evolution } = observed.records;
  const way = 'every way back is open before anything is merged';
  return {
    steps: [
      backupOf(base, way),
      backupOf(adapter, way),
      {
        kind: 'verify',
        because: 'each byte is hashed where it lies in the vault',
        subjects: [base.subject, adapter.subject],
      },
      {
        kind: 'version',
        because: 'what was merged has a number',
        subject: adapter.subject,
        size: adapter.size,
        training,
        evolution,
      },
      ...workOf(observed),
      {
        kind: 'check',
        because: 'before it has its name',
        name: output,
        image: observed.images.server,
      },
      {
        kind: 'version',
        because: 'what came of it has a number',
        subject,
        size: finalBytes(observed),
        training,
        evolution,
      },
      {
        kind: 'publish',
        because: 'last, and only where the name is free',
        name: output,
        folder: observed.models.path,
      },
      ...end,
    ],
    rooms: roomForStages(stagesOf(observed), observed),
  };
}

function backupOf({ subject, size, copied }: Saved, because: string): ConsolidateStep {
  return { kind: 'backup', because, subject, size, copied };
}

function workOf({ base, output, ...observed }: ObservedConsolidation): ConsolidateStep[] {
  const { dequantized, merge, quantize, images } = observed;
  const steps: ConsolidateStep[] = [];
  if (dequantized !== null) {
    steps.push({
      kind: 'dequantize',
      because: `nothing can be added to weights in ${base.quantization ?? 'a quantized type'}`,
      name: base.subject.name,
      bytes: dequantized,
      image: images.quantizer ?? '',
    });
  }
  steps.push({ kind: 'merge', because: mergeBecause(merge), name: output, merge });
  if (quantize) {
    steps.push({
      kind: 'quantize',
      because: 'asked for',
      name: output,
      ...quantize,
      image: images.quantizer ?? '',
    });
  }
  return steps;
}

function mergeBecause(merge: PlannedMerge): string {
  return merge.kind === 'command' ? 'by your own command' : merge.scaleBecause;
}

function endOf({ adapter, removeAdapter }: ObservedConsolidation): ConsolidateStep {
  const { subject, size } = adapter;
  return removeAdapter
    ? { kind: 'remove', because: 'asked for; last, once its backup is verified again', subject, size }
    : { kind: 'keep', because: 'it goes only with --remove-adapter', subject };
}

/** Bytes of the model as it is published, or the most that it may come to. */
function finalBytes({ merge, base, quantize }: ObservedConsolidation): number {
  const merged = mergedBytes({ merge, base });
  return quantize ? (quantize.bytes ?? merged) : merged;
}

/** What a command of the user's writes nobody knows; weights in 16 bits are what such commands make. */
function mergedBytes({ merge, base }: Pick<ObservedConsolidation, 'merge' | 'base'>): number {
  return merge.kind === 'built-in' ? merge.bytes : Math.max(base.size, 2 * base.weights);
}

function stagesOf(observed: ObservedConsolidation): Stage[] {
  const { base, adapter, dequantized, quantize, records } = observed;
  const merged = mergedBytes(observed);
  const final = finalBytes(observed);
  const saved = base.copied + adapter.copied + records.evolutionBytes;
  return [
    { models: 0, vault: saved },
    { models: (dequantized ?? 0) + merged, vault: saved },
    { models: quantize ? merged + final : merged, vault: saved },
    { models: final, vault: saved + final },
  ];
}
