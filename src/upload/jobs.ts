import { randomBytes } from 'node:crypto';
import type { AixclError } from '../errors.ts';
import type { PageJob } from './api.ts';
import { problemOf } from './problem.ts';

/** What a running job tells of itself. */
export interface JobReport {
  detail(text: string): void;
  progress(done: number, total: number): void;
}

/** What came of it. */
export interface JobEnd {
  readonly detail: string;
  readonly backup?: string;
}

const remembered = 50;

/** Work that outlives the request that asked for it. */
export class Jobs {
  readonly #jobs = new Map<string, PageJob>();
  readonly #running = new Set<Promise<void>>();
  readonly #changed: () => void;
  readonly #now: () => Date;

  /** `changed`: told whenever a job has something new to say. */
  constructor(changed: () => void, now: () => Date = () => new Date()) {
    this.#changed = changed;
    this.#now = now;
  }

  /** Newest first. */
  list(): readonly PageJob[] {
    return [...this.#jobs.values()].reverse();
  }

  get(id: string): PageJob | undefined {
    return this.#jobs.get(id);
  }

  /** Starts it and answers at once. What it throws becomes its problem. */
  start(
    kind: PageJob['kind'],
    target: string,
    work: (report: JobReport, operation: string) => Promise<JobEnd>,
  ): PageJob {
    const id = randomBytes(6).toString('hex');
    this.#set({
      id,
      kind,
      target,
      began: this.#now().toISOString(),
      ended: null,
      outcome: 'running',
      detail: null,
      done: null,
      total: null,
      problem: null,
      backup: null,
    });
    const run = this.#run(id, work).finally(() => this.#running.delete(run));
    this.#running.add(run);
    return this.#jobs.get(id)!;
  }

  /** Resolves when none runs any more. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async #run(id: string, work: Parameters<Jobs['start']>[2]): Promise<void> {
    const report: JobReport = {
      detail: (detail) => this.#change(id, { detail }),
      progress: (done, total) => this.#change(id, { done, total }),
    };
    try {
      const { detail, backup } = await work(report, id);
      this.#change(id, { outcome: 'done', detail, backup: backup ?? null, ended: this.#now().toISOString() });
    } catch (error) {
      const problem = problemOf(error as AixclError);
      const ended = this.#now().toISOString();
      this.#change(id, { outcome: 'failed', detail: problem.detail, problem, ended });
    }
  }

  #change(id: string, change: Partial<PageJob>): void {
    this.#set({ ...this.#jobs.get(id)!, ...change });
  }

  #set(job: PageJob): void {
    this.#jobs.set(job.id, job);
    for (const [id, { outcome }] of this.#jobs) {
      if (this.#jobs.size <= remembered) break;
      if (outcome !== 'running') this.#jobs.delete(id);
    }
    this.#changed();
  }
}
