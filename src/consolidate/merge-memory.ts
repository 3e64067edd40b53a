import { bytesOfTensor } from '../models/gguf/write.ts';
import { sizes } from './lora.ts';
import type { MergePlan, PlannedTensor } from './merge-plan.ts';

/** Elements of a tensor that a thread works on at once: some hundred KB, which stay in a core's cache. */
const blockElements = 256 * 1024;

/** Rows of a tensor that a thread merges at once; one at least, however long. */
export function rowsOfBlock({ shape }: PlannedTensor): number {
  return Math.max(1, Math.floor(blockElements / sizes(shape)[0]));
}

/** Elements that a thread converts or copies at once, where rows do not matter. */
export const flatBlock = blockElements;

/** Bytes that each thread needs: for a block as it lies in the file, for its numbers, and for both factors of the adapter. */
export interface ThreadMemory {
  readonly raw: number;
  readonly wide: number;
  readonly left: number;
  readonly right: number;
}

export function threadMemory({ tensors }: MergePlan): ThreadMemory {
  const memory = { raw: 4 * flatBlock, wide: 4 * flatBlock, left: 0, right: 0 };
  for (const tensor of tensors) {
    if (tensor.work.kind !== 'merge') continue;
    const { rank, left, right } = tensor.work.lora;
    const [columns] = sizes(tensor.shape);
    const rows = rowsOfBlock(tensor);
    const factor = (type: string, count: number) =>
      bytesOfTensor({ name: tensor.name, shape: [count * rank], type });
    memory.wide = Math.max(memory.wide, 4 * rows * columns);
    memory.left = Math.max(memory.left, 4 * rows * rank);
    memory.right = Math.max(memory.right, 4 * columns * rank);
    memory.raw = Math.max(
      memory.raw,
      4 * rows * columns,
      factor(left.type, rows),
      factor(right.type, columns),
    );
  }
  return memory;
}

/** What Node.js takes for itself, and for each thread (measured). */
const ownBytes = 60e6;
const ownBytesOfThread = 16e6;
const mostBytes = 500e6;

/** Threads that a merge runs on: one for each core, as long as their memory stays in bounds. */
export function threadsFor(plan: MergePlan, cores: number): number {
  const room = Math.floor((mostBytes - ownBytes) / bytesOfThread(plan));
  return Math.max(1, Math.min(cores, room));
}

/** Memory that a merge takes at its peak, in bytes. */
export function mergeMemory(plan: MergePlan, threads: number): number {
  return ownBytes + threads * bytesOfThread(plan);
}

function bytesOfThread(plan: MergePlan): number {
  const { raw, wide, left, right } = threadMemory(plan);
  return ownBytesOfThread + raw + wide + left + right;
}
