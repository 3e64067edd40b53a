import type { ByteSource } from './byte-source.ts';
import { GgufProblem, readHeader } from './header.ts';
import { checkBounds, checkWithLibrary } from './structure.ts';
import { type GgufSummary, summarize } from './summary.ts';

/** What one GGUF file says of itself, its structure checked; throws `GgufProblem`. `thorough` asks the library too. */
export async function inspectGguf(source: ByteSource, options: { thorough: boolean }): Promise<Inspected> {
  const header = await readHeader(source);
  checkBounds(header, source.size);
  if (options.thorough) await checkWithLibrary(source);
  const split = {
    number: integer(header.metadata.get('split.no')),
    tensors: integer(header.metadata.get('split.tensors.count')),
  };
  return { summary: summarize(header), tensors: header.tensors.length, split };
}

export interface Inspected {
  readonly summary: GgufSummary;
  readonly tensors: number;
  /** `split.no`, from 0, and the number of tensors in all shards; undefined where the file does not say. */
  readonly split: { readonly number: number | undefined; readonly tensors: number | undefined };
}

/** The shards of one model taken together, in order; throws `GgufProblem` when they do not make one model. */
export function combineShards(shards: readonly Inspected[]): GgufSummary {
  const [first] = shards;
  if (!first) throw new GgufProblem('it has no files');
  if (first.summary.shards !== shards.length) {
    throw new GgufProblem(`it is one of ${first.summary.shards} shards, of which ${shards.length} are here`);
  }
  for (const [index, shard] of shards.entries()) {
    if (shards.length > 1 && shard.split.number !== undefined && shard.split.number !== index) {
      throw new GgufProblem(`its shard ${index + 1} says that it is shard ${shard.split.number + 1}`);
    }
  }
  const tensors = shards.reduce((sum, shard) => sum + shard.tensors, 0);
  if (tensors === 0) throw new GgufProblem('it holds no weights');
  if (shards.length > 1 && first.split.tensors !== undefined && first.split.tensors !== tensors) {
    throw new GgufProblem(`its shards hold ${tensors} tensors and should hold ${first.split.tensors}`);
  }
  return { ...first.summary, parameters: shards.reduce((sum, shard) => sum + shard.summary.parameters, 0) };
}

function integer(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) ? value : undefined;
}
