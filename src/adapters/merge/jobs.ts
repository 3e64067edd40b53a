import type { FloatType } from '../../consolidate/float-types.ts';
import type { FactorType } from '../../consolidate/lora.ts';
import { flatBlock, rowsOfBlock } from '../../consolidate/merge-memory.ts';
import type { MergePlan, PlannedTensor } from '../../consolidate/merge-plan.ts';
import { bytesOfTensor } from '../../models/gguf/write.ts';

/** A part of a tensor that one thread does in one go. Plain data, as it goes to the thread. */
export type Job = {
  readonly tensor: string;
  /** Number of the base's file. */
  readonly file: number;
  /** Bytes from the start of that file, and of the one that is written. */
  readonly from: number;
  readonly to: number;
} & (
  | { readonly kind: 'copy'; readonly bytes: number }
  | {
      readonly kind: 'compute';
      readonly rows: number;
      readonly columns: number;
      readonly read: FloatType;
      readonly write: FloatType;
      readonly product?: Product;
    }
);

/** left · right · scale, for the rows of one job. */
export interface Product {
  readonly rank: number;
  readonly scale: number;
  /** Bytes from the start of the adapter's file. */
  readonly left: { readonly at: number; readonly type: FactorType };
  readonly right: { readonly at: number; readonly type: FactorType; readonly transposed: boolean };
}

/** All that `plan` has done but for the header, in the order of the file that is written. */
export function* jobsOf(plan: MergePlan): Generator<Job> {
  for (const tensor of plan.tensors) {
    if (tensor.work.kind === 'copy') yield* copies(tensor);
    else if (tensor.work.kind === 'convert') yield* conversions(tensor, tensor.work);
    else yield* merges(tensor, tensor.work);
  }
}

/** Bytes of the file that is written which are done with `job`. */
export function bytesOf(job: Job): number {
  return job.kind === 'copy' ? job.bytes : size(job.write, job.rows * job.columns);
}

function* copies({ name, from, to }: PlannedTensor): Generator<Job> {
  const block = 4 * flatBlock;
  for (let done = 0; done < from.bytes; done += block) {
    yield {
      kind: 'copy',
      tensor: name,
      file: from.file,
      from: from.at + done,
      to: to.at + done,
      bytes: Math.min(block, from.bytes - done),
    };
  }
}

function* conversions(
  { name, shape, from, to }: PlannedTensor,
  work: { readonly from: FloatType; readonly to: FloatType },
): Generator<Job> {
  const elements = shape.reduce((product, each) => product * each, 1);
  for (let done = 0; done < elements; done += flatBlock) {
    yield {
      kind: 'compute',
      tensor: name,
      file: from.file,
      from: from.at + size(work.from, done),
      to: to.at + size(work.to, done),
      rows: 1,
      columns: Math.min(flatBlock, elements - done),
      read: work.from,
      write: work.to,
    };
  }
}

function* merges(
  tensor: PlannedTensor,
  work: Extract<PlannedTensor['work'], { readonly kind: 'merge' }>,
): Generator<Job> {
  const { rank, scale, left, right } = work.lora;
  const [columns = 1, rows = 1, experts = 1] = tensor.shape;
  const block = rowsOfBlock(tensor);
  for (let expert = 0; expert < experts; expert++) {
    for (let row = 0; row < rows; row += block) {
      const before = expert * rows + row;
      yield {
        kind: 'compute',
        tensor: tensor.name,
        file: tensor.from.file,
        from: tensor.from.at + size(work.from, before * columns),
        to: tensor.to.at + size(work.to, before * columns),
        rows: Math.min(block, rows - row),
        columns,
        read: work.from,
        write: work.to,
        product: {
          rank,
          scale,
          left: { at: left.at + size(left.type, before * rank), type: left.type },
          right: { ...right, at: right.at + size(right.type, expert * rank * columns) },
        },
      };
    }
  }
}

function size(type: string, elements: number): number {
  return bytesOfTensor({ name: '', shape: [elements], type });
}
