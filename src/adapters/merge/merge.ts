import { constants } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { threadMemory, threadsFor } from '../../consolidate/merge-memory.ts';
import type { MergePlan, PlannedTensor } from '../../consolidate/merge-plan.ts';
import { AixclError, systemCode } from '../../errors.ts';
import { diskRefusal } from '../disk-refusal.ts';
import { EarlySync } from './early-sync.ts';
import { bytesOf, type Job, jobsOf } from './jobs.ts';
import { type OpenFile, runJobs, type Specials, ThreadFailure } from './threads.ts';

export interface MergeFiles {
  /** The base's files, in the order of the headers that were planned with. */
  readonly base: readonly string[];
  readonly adapter: string;
  /** A new name, never the model's own. */
  readonly output: string;
}

export interface MergeOptions extends MergeFiles {
  /** One for each core when absent, as far as memory allows. */
  readonly threads?: number | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: MergeProgress) => void) | undefined;
}

export interface MergeProgress {
  /** The one that was worked on last. */
  readonly tensor: string;
  /** Tensors that are done. */
  readonly tensors: number;
  readonly ofTensors: number;
  /** Bytes that are written. */
  readonly bytes: number;
  readonly ofBytes: number;
}

export interface MergeReport {
  readonly merged: number;
  readonly converted: number;
  readonly copied: number;
  readonly bytes: number;
  readonly threads: number;
}

/**
 * Writes what `plan` says under `output`, which it makes and syncs to the disk; `EEXIST` when that name is taken. Whatever else fails, or
 * when `signal` stops it, the file is gone again. The caller syncs the folder and names the file.
 */
export async function mergeInto(plan: MergePlan, options: MergeOptions): Promise<MergeReport> {
  const { base, adapter, output, signal } = options;
  signal.throwIfAborted();
  const opened: FileHandle[] = [];
  const openFile = async (name: string, flags: number): Promise<OpenFile & { handle: FileHandle }> => {
    const handle = await open(name, flags, 0o644);
    opened.push(handle);
    return { name, handle, descriptor: handle.fd };
  };
  try {
    const bases = [];
    for (const path of base) bases.push(await openFile(path, constants.O_RDONLY));
    const adapterFile = await openFile(adapter, constants.O_RDONLY);
    const outputFile = await openFile(output, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL);
    const handle = outputFile.handle;
    const disk = new EarlySync(handle);
    try {
      await handle.truncate(plan.bytes);
      await writeAt(handle, await headerOf(plan, bases[0]!.handle), 0);
      const count = options.threads ?? threadsFor(plan, availableParallelism());
      const data = { base: bases.map(plain), adapter: plain(adapterFile), output: plain(outputFile) };
      const progress = progressOf(plan, options.onProgress);
      const onDone = (job: Job, specials: Specials) => {
        disk.written(bytesOf(job));
        progress(job, specials);
      };
      await runJobs(jobsOf(plan), { count, files: data, memory: threadMemory(plan), signal, onDone });
      await disk.finish();
      signal.throwIfAborted();
      return { ...reportOf(plan), threads: count };
    } catch (error) {
      await disk.settled();
      await unlink(output).catch(() => undefined);
      throw refusalOf(error, output);
    }
  } finally {
    for (const handle of opened) await handle.close();
  }
}

function plain({ name, descriptor }: OpenFile): OpenFile {
  return { name, descriptor };
}

async function headerOf({ header }: MergePlan, base: FileHandle): Promise<Uint8Array> {
  const bytes = Buffer.alloc(header.bytes);
  let at = 0;
  for (const part of header.parts) {
    if ('from' in part) {
      const length = part.to - part.from;
      const { bytesRead } = await base.read(bytes, at, length, part.from);
      if (bytesRead !== length) throw new Error("the base's header ends early");
      at += length;
    } else {
      bytes.set(part, at);
      at += part.length;
    }
  }
  return bytes;
}

async function writeAt(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Adds up what is done; throws when a tensor would hold numbers that are infinite or none, which the base's does not. */
function progressOf(
  plan: MergePlan,
  onProgress: MergeOptions['onProgress'],
): (job: Job, specials: Specials) => void {
  const left = new Map(plan.tensors.map(({ name, to }) => [name, to.bytes]));
  const ofBytes = [...left.values()].reduce((sum, bytes) => sum + bytes, 0);
  let bytes = 0;
  let tensors = [...left.values()].filter((size) => size === 0).length;
  return (job, { before, after }) => {
    if (after > before) throw notFinite(job, after - before);
    const remaining = left.get(job.tensor)! - bytesOf(job);
    left.set(job.tensor, remaining);
    bytes += bytesOf(job);
    if (remaining === 0) tensors += 1;
    onProgress?.({ tensor: job.tensor, tensors, ofTensors: left.size, bytes, ofBytes });
  };
}

function notFinite(job: Job, count: number): AixclError {
  const type = job.kind === 'compute' ? job.write : 'F32';
  return new AixclError(
    'verification',
    `Merged, the tensor ${job.tensor} would hold ${count} numbers that are infinite or none at all; those of the base are not`,
    {
      hint:
        type === 'F16'
          ? 'They may be too large for F16: merge in F32 or BF16. Else the adapter is damaged.'
          : 'The adapter is damaged, or its training failed.',
    },
  );
}

function reportOf({ tensors, bytes }: MergePlan): Omit<MergeReport, 'threads'> {
  const count = (kind: PlannedTensor['work']['kind']) =>
    tensors.filter(({ work }) => work.kind === kind).length;
  return { merged: count('merge'), converted: count('convert'), copied: count('copy'), bytes };
}

function refusalOf(error: unknown, output: string): unknown {
  const file = error instanceof ThreadFailure ? error.file : undefined;
  const name = file ?? output;
  if (systemCode(error) === 'SHORT') {
    return new AixclError('verification', `${name} ends early: it is not the file that was looked at`, {
      hint: `ls -l ${name}`,
      cause: error,
    });
  }
  return diskRefusal(error, name, file ? name : dirname(output));
}
