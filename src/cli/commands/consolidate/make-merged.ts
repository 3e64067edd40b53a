import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fullDisk, fullDiskOr } from '../../../adapters/consolidation/full-disk.ts';
import { takeOver } from '../../../adapters/consolidation/made-file.ts';
import { runMergeCommand } from '../../../adapters/consolidation/merge-command.ts';
import { quantize } from '../../../adapters/consolidation/quantizer.ts';
import { mergeInto } from '../../../adapters/merge/merge.ts';
import { compareStructure } from '../../../consolidate/compare-structure.ts';
import { isQuantized } from '../../../consolidate/dequantized.ts';
import { planMerge } from '../../../consolidate/merge-plan.ts';
import { AixclError, reasonOf } from '../../../errors.ts';
import type { GgufHeader } from '../../../models/gguf/header.ts';
import { quoted } from '../../../models/model-name.ts';
import type { Operation } from '../../../plan/journal.ts';
import { headerAt } from '../../../wiring/models/gguf-files.ts';
import type { Context } from '../../context.ts';
import type { ConsolidateSight } from './observe.ts';

export interface Making {
  /** Folder that all of it lies in. */
  readonly staging: string;
  readonly operation: Operation;
}

/**
 * Merges, and quantizes before and after where that is due. Answers the path of the merged model in the staging folder, its structure seen to be
 * the base's; what it was made from there is gone. Holds no lock.
 */
export async function makeMerged(context: Context, sight: ConsolidateSight, making: Making): Promise<string> {
  const { wish, base } = sight;
  const path = join(making.staging, 'merged.gguf');
  if (sight.adapter.gguf) await mergeBuiltIn(context, sight, making, path);
  else await mergeByCommand(context, sight, making, path);
  const header = await builtAsBase(base.headers, path, 'the merged model');
  if (wish.quantize === undefined) return path;
  const small = join(making.staging, 'quantized.gguf');
  await runQuantizer(context, sight, making, {
    input: path,
    output: small,
    type: wish.quantize,
    again: isQuantized([header]),
  });
  await builtAsBase(base.headers, small, 'what llama-quantize made');
  await rm(path);
  return small;
}

async function mergeBuiltIn(
  context: Context,
  sight: ConsolidateSight,
  making: Making,
  output: string,
): Promise<void> {
  const { wish, base, adapter, rule, observed } = sight;
  const gguf = adapter.gguf!;
  let [files, headers] = [base.files.map(({ path }) => path), base.headers];
  let turned: string | undefined;
  if (observed.dequantized !== null) {
    turned = join(making.staging, 'base-f16.gguf');
    const input = files[0]!;
    await runQuantizer(context, sight, making, {
      input,
      output: turned,
      type: 'F16',
      again: true,
    });
    headers = [await builtAsBase(base.headers, turned, 'the base in F16')];
    files = [turned];
  }
  const plan = planMerge(headers, gguf.header, { type: wish.type, rsLora: rule.rsLora });
  await making.operation.step('merge', wish.output, `${adapter.path} into ${base.found.model.subject.name}`);
  const task = context.progress.start(`Merging ${quoted(wish.output)}`, plan.bytes);
  try {
    await mergeInto(plan, {
      base: files,
      adapter: gguf.path,
      output,
      signal: context.signal,
      onProgress: ({ bytes, tensors, ofTensors, tensor }) =>
        task.update({ done: bytes, text: `${tensors}/${ofTensors} ${tensor}` }),
    });
    task.succeed(`${plan.tensors.length} tensors`);
  } catch (error) {
    task.fail();
    // What it wrote is gone by then, and so is its folder.
    const isFull = error instanceof AixclError && error.code === 'noSpace';
    throw isFull ? fullDisk(context.home.models, error) : error;
  }
  await takeOver(output, context.home.models, { by: 'the merge', signal: context.signal });
  if (turned) await rm(turned);
}

async function mergeByCommand(
  context: Context,
  { wish, base, adapter }: ConsolidateSight,
  { operation }: Making,
  output: string,
): Promise<void> {
  const command = wish.mergeCommand!;
  await operation.step('merge', wish.output, `by ${command}`);
  const task = context.progress.start('Merging by your command');
  try {
    await runMergeCommand({
      command,
      base: base.files[0]!.path,
      adapter: adapter.path,
      output,
      signal: context.signal,
      onLine: (line) => task.says?.(line),
    });
    await takeOver(output, context.home.models, { by: 'the merge command', signal: context.signal });
    task.succeed();
  } catch (error) {
    task.fail();
    throw context.signal.aborted ? error : await fullDiskOr(error, context.home.models);
  }
}

interface Quantizing {
  readonly input: string;
  readonly output: string;
  readonly type: string;
  readonly again: boolean;
}

async function runQuantizer(
  context: Context,
  { wish, observed }: ConsolidateSight,
  { operation }: Making,
  { input, output, type, again }: Quantizing,
): Promise<void> {
  const image = observed.images.quantizer!;
  const expected = type === 'F16' ? observed.dequantized : observed.quantize?.bytes;
  await operation.step('quantize', wish.output, `${type}, by llama-quantize of ${image}`);
  const task = context.progress.start(`Turning into ${type}`, expected ?? undefined);
  try {
    await quantize(await context.engine(), {
      home: context.home.root,
      operation: operation.id,
      signal: context.signal,
      image,
      input,
      output,
      type,
      again,
      onProgress: (done) => task.update({ done }),
    });
    await takeOver(output, context.home.models, { by: 'llama-quantize', signal: context.signal });
    task.succeed();
  } catch (error) {
    task.fail();
    throw context.signal.aborted ? error : await fullDiskOr(error, context.home.models);
  }
}

/** Header of a model whose structure is right, and the base's but for types. Throws `verification`. */
async function builtAsBase(base: readonly GgufHeader[], path: string, what: string): Promise<GgufHeader> {
  let header: GgufHeader;
  try {
    header = await headerAt(path, { thorough: true });
  } catch (error) {
    if (!(error instanceof AixclError) || error.code !== 'verification') throw error;
    const why = reasonOf(error.cause ?? error);
    throw new AixclError('verification', `${what} is no whole GGUF model, and is thrown away: ${why}`, {
      hint: 'See that what makes it ends well and writes all of it, then run the same again.',
      cause: error,
    });
  }
  const differences = compareStructure(base, header);
  if (differences.length === 0) return header;
  const shown = differences.slice(0, 8);
  throw new AixclError('verification', `${what} is not built as its base is, and is thrown away`, {
    hint: 'A merge changes weights alone: same architecture, vocabulary, tensors and shapes.',
    evidence:
      differences.length > shown.length ? [...shown, `and ${differences.length - shown.length} more`] : shown,
  });
}
