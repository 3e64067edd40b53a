import { Worker } from 'node:worker_threads';
import type { ThreadMemory } from '../../consolidate/merge-memory.ts';
import type { Job } from './jobs.ts';
import { kernel } from './kernel/kernel.ts';
import { threadProgram } from './thread-program.ts';

/** A file that is open in this process. */
export interface OpenFile {
  readonly name: string;
  readonly descriptor: number;
}

export interface Files {
  readonly base: readonly OpenFile[];
  readonly adapter: OpenFile;
  readonly output: OpenFile;
}

/** Numbers of a job's part of a tensor that are infinite or none. */
export interface Specials {
  readonly before: number;
  readonly after: number;
}

/** What went wrong in a thread; `code` is the system's, or `SHORT` for a file that ends early. */
export class ThreadFailure extends Error {
  readonly code: string | undefined;
  /** Name of the file that it happened with. */
  readonly file: string | undefined;

  constructor({ failure, code, file }: { failure: string; code?: string; file?: string }) {
    super(failure);
    this.code = code;
    this.file = file;
  }
}

/**
 * Does the jobs, in order but several at once, on `count` threads, which have ended when this settles. Stops at the first failure, or when
 * `signal` says so. `onDone` is called in the order in which jobs end; what it throws is a failure too.
 */
export async function runJobs(
  jobs: Iterable<Job>,
  options: {
    readonly count: number;
    readonly files: Files;
    readonly memory: ThreadMemory;
    readonly signal: AbortSignal;
    readonly onDone: (job: Job, specials: Specials) => void;
  },
): Promise<void> {
  const { count, files, memory, signal, onDone } = options;
  const workerData = { kernel: kernel(), ...files, sizes: memory };
  const threads = Array.from({ length: count }, () => new MergeThread(workerData));
  const queue = jobs[Symbol.iterator]();
  let stopped = false;
  const drain = async (thread: MergeThread) => {
    while (!stopped) {
      signal.throwIfAborted();
      const { done, value: job } = queue.next();
      if (done) return;
      onDone(job, await thread.do(job));
    }
  };
  try {
    // Two jobs are with each thread, so that it never waits for the next.
    await Promise.all(
      threads
        .flatMap((thread) => [drain(thread), drain(thread)])
        .map((each) =>
          each.catch((error) => {
            stopped = true;
            throw error;
          }),
        ),
    );
  } finally {
    stopped = true;
    await Promise.all(threads.map((thread) => thread.end()));
  }
}

interface Call {
  resolve(answer: Specials): void;
  reject(reason: Error): void;
}

class MergeThread {
  readonly #worker: Worker;
  readonly #calls = new Map<number, Call>();
  #next = 0;
  #gone: Error | undefined;

  constructor(workerData: unknown) {
    this.#worker = new Worker(threadProgram, {
      eval: true,
      env: {},
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 },
    });
    this.#worker.on('message', ({ call, answer, ...failure }) => {
      const waiting = this.#calls.get(call);
      this.#calls.delete(call);
      if (answer) waiting?.resolve(answer);
      else waiting?.reject(new ThreadFailure(failure));
    });
    this.#worker.on('error', (reason) => this.#fail(reason));
    this.#worker.on('exit', () => this.#fail(new Error('the thread that merges has ended')));
  }

  do(job: Job): Promise<Specials> {
    if (this.#gone) return Promise.reject(this.#gone);
    const call = this.#next++;
    return new Promise((resolve, reject) => {
      this.#calls.set(call, { resolve, reject });
      this.#worker.postMessage({ call, job });
    });
  }

  /** Once this resolves, the thread touches no file any more. */
  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(reason: Error): void {
    this.#gone ??= reason;
    for (const { reject } of this.#calls.values()) reject(reason);
    this.#calls.clear();
  }
}
