import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/**
 * Threads that hash, as hashing is all that Node does on the one thread that everything else needs. A thread reads ranges of files that
 * are open in this process, by descriptor.
 */
export interface HashThread {
  /** Feeds the bytes [from, to) of the file `descriptor` to the hash `job`. */
  feed(job: number, descriptor: number, from: number, to: number): Promise<void>;
  /** Hex digest of all that was fed; the job is over. */
  finish(job: number): Promise<string>;
  /** Forgets the job. */
  drop(job: number): void;
}

/** Runs as CommonJS in a thread of its own; as text, since everything is bundled into one script. */
const program = `
const { parentPort } = require('node:worker_threads');
const { createHash } = require('node:crypto');
const { readSync } = require('node:fs');
const hashes = new Map();
const buffer = Buffer.allocUnsafeSlow(1 << 20);
function feed({ job, descriptor, from, to }) {
  const hash = hashes.get(job) ?? createHash('sha256');
  hashes.set(job, hash);
  for (let at = from; at < to; ) {
    const read = readSync(descriptor, buffer, 0, Math.min(buffer.length, to - at), at);
    if (read === 0) throw Object.assign(new Error('the file ends early'), { code: 'SHORT' });
    hash.update(buffer.subarray(0, read));
    at += read;
  }
}
function finish({ job }) {
  const hash = hashes.get(job) ?? createHash('sha256');
  hashes.delete(job);
  return hash.digest('hex');
}
parentPort.on('message', (message) => {
  if (message.kind === 'drop') return void hashes.delete(message.job);
  try {
    const answer = message.kind === 'feed' ? feed(message) : finish(message);
    parentPort.postMessage({ call: message.call, answer });
  } catch (error) {
    hashes.delete(message.job);
    parentPort.postMessage({ call: message.call, failure: error.message, code: error.code });
  }
});
`;

const mostThreads = 4;
const threads: Thread[] = [];

/** The thread with the least to do. They are started when first needed and do not keep the process alive. */
export function hashThread(): HashThread {
  const idle = threads.find((thread) => thread.load === 0);
  if (idle) return idle;
  if (threads.length < Math.min(availableParallelism(), mostThreads)) {
    const thread = new Thread((gone) => threads.splice(threads.indexOf(gone), 1));
    threads.push(thread);
    return thread;
  }
  return threads.reduce((a, b) => (b.load < a.load ? b : a));
}

interface Call {
  resolve(answer: unknown): void;
  reject(reason: Error): void;
}

class Thread implements HashThread {
  readonly #worker: Worker;
  readonly #calls = new Map<number, Call>();
  readonly #jobs = new Set<number>();
  #next = 0;

  constructor(onGone: (thread: Thread) => void) {
    this.#worker = new Worker(program, {
      eval: true,
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
    });
    this.#worker.unref();
    this.#worker.on('message', ({ call, answer, failure, code }) => {
      const waiting = this.#calls.get(call);
      this.#settled(call);
      if (failure === undefined) waiting?.resolve(answer);
      else waiting?.reject(Object.assign(new Error(failure), { code }));
    });
    const fail = (reason: Error) => {
      onGone(this);
      for (const [call, { reject }] of this.#calls) {
        this.#settled(call);
        reject(reason);
      }
    };
    this.#worker.on('error', fail);
    this.#worker.on('exit', () => fail(new Error('the thread that hashes has ended')));
  }

  get load(): number {
    return this.#jobs.size;
  }

  async feed(job: number, descriptor: number, from: number, to: number): Promise<void> {
    this.#jobs.add(job);
    await this.#ask({ kind: 'feed', job, descriptor, from, to });
  }

  async finish(job: number): Promise<string> {
    const hex = await this.#ask({ kind: 'finish', job });
    this.#jobs.delete(job);
    return hex as string;
  }

  drop(job: number): void {
    this.#jobs.delete(job);
    this.#worker.postMessage({ kind: 'drop', job });
  }

  #ask(message: Record<string, unknown>): Promise<unknown> {
    const call = this.#next++;
    return new Promise((resolve, reject) => {
      this.#calls.set(call, { resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage({ ...message, call });
    });
  }

  #settled(call: number): void {
    this.#calls.delete(call);
    if (this.#calls.size === 0) this.#worker.unref();
  }
}
