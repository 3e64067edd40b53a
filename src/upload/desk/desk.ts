import { AixclError } from '../../errors.ts';
import type { Surroundings } from '../../wiring/surroundings.ts';
import { vaultOf } from '../../wiring/vault.ts';
import type { PageJob, PageState, Removal, Restoration } from '../api.ts';
import type { Desk, Receiving } from '../desk.ts';
import { type JobEnd, type JobReport, Jobs } from '../jobs.ts';
import { activateModel, servable } from './activate.ts';
import { progressIn } from './job-progress.ts';
import { assertRemovable, observeRemove, removeModel } from './remove.ts';
import { observeRestoration, restorable, restoreSnapshot, snapshotOf } from './restore.ts';
import { type Addresses, Sight } from './sight.ts';
import { lastOf, undo } from './undo.ts';
import { verify } from './verify.ts';
import { Watchers } from './watchers.ts';

export interface DeskPorts {
  readonly surroundings: Surroundings;
  readonly receiving: Pick<Receiving, 'list'>;
  readonly addresses: Addresses;
  /** Of aixcl. */
  readonly version: string;
}

/** The models and snapshots of a home, for the page. */
export class PageDesk implements Desk {
  readonly #context: Surroundings;
  readonly #addresses: Addresses;
  readonly #closing = new AbortController();
  readonly #jobs: Jobs;
  readonly #sight: Sight;
  readonly #watchers: Watchers;
  readonly #warnings: string[] = [];
  #jobsVersion = 0;
  #running = 0;
  /** Those that need the vault go one after another: each would find it held by the one before. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ surroundings, receiving, addresses, version }: DeskPorts) {
    this.#addresses = addresses;
    this.#context = {
      ...surroundings,
      signal: AbortSignal.any([surroundings.signal, this.#closing.signal]),
      out: { warn: (line) => this.#warn(line, surroundings) },
    };
    this.#jobs = new Jobs(() => this.#jobChanged());
    this.#sight = new Sight({
      version,
      home: surroundings.home,
      vault: vaultOf(surroundings),
      addresses,
      uploads: () => receiving.list(),
      jobs: () => this.#jobs.list(),
      warnings: () => this.#warnings,
      changed: () => this.#watchers.poke('quick'),
    });
    this.#watchers = new Watchers({
      version: () => this.#sight.version + this.#jobsVersion,
      refresh: (scope) => this.#sight.refresh(scope),
      state: () => this.#sight.state(),
      isLively: () => this.#running > 0 || this.#sight.isReceiving,
    });
  }

  async state(): Promise<PageState> {
    await this.#sight.refresh('fresh');
    return this.#sight.state();
  }

  watch(onState: (state: PageState) => void): Disposable {
    return this.#watchers.add(onState);
  }

  async activate(name: string): Promise<PageJob> {
    const model = await servable(this.#context, name);
    return this.#start('activate', name, (context, report) =>
      activateModel(context, model, report, this.#addresses.llamaServer),
    );
  }

  removal(name: string): Promise<Removal> {
    return observeRemove(this.#context, name);
  }

  async remove(name: string): Promise<PageJob> {
    await assertRemovable(this.#context, name);
    return this.#startInTurn('remove', name, (context) => removeModel(context, name));
  }

  restoration(id: string): Promise<Restoration> {
    return observeRestoration(this.#context, id);
  }

  async restore(id: string): Promise<PageJob> {
    await restorable(this.#context, id);
    return this.#startInTurn('restore', id, (context) => restoreSnapshot(context, id));
  }

  async verify(id: string): Promise<PageJob> {
    await snapshotOf(this.#context, id);
    return this.#startInTurn('verify', id, (context) => verify(context, id));
  }

  async undo(id: string): Promise<PageJob> {
    const { subject } = await lastOf(this.#context, id);
    return this.#startInTurn('undo', subject.name, (context) => undo(context, id));
  }

  job(id: string): PageJob {
    const job = this.#jobs.get(id);
    if (job) return job;
    throw new AixclError('notFound', `there is no job ${JSON.stringify(id)}`, {
      hint: 'aixcl journal',
    });
  }

  /** What runs is stopped as by a signal, and waited for. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#watchers.end();
    this.#closing.abort(
      new AixclError('terminated', 'the page was stopped', {
        hint: 'Ask for it again: it goes on from where things stand.',
      }),
    );
    await this.#jobs.settled();
  }

  #start(
    kind: PageJob['kind'],
    target: string,
    work: (context: Surroundings, report: JobReport) => Promise<JobEnd>,
  ): PageJob {
    return this.#jobs.start(kind, target, (report) =>
      work({ ...this.#context, progress: progressIn(report) }, report),
    );
  }

  #startInTurn(
    kind: PageJob['kind'],
    target: string,
    work: (context: Surroundings) => Promise<JobEnd>,
  ): PageJob {
    return this.#start(kind, target, (context) => {
      const run = this.#turn.then(() => {
        context.signal.throwIfAborted();
        return work(context);
      });
      this.#turn = run.catch(() => undefined);
      return run;
    });
  }

  #jobChanged(): void {
    this.#jobsVersion += 1;
    const running = this.#jobs.list().filter(({ outcome }) => outcome === 'running').length;
    // One that has ended has changed what is there.
    this.#watchers.poke(running < this.#running ? 'all' : 'quick');
    this.#running = running;
  }

  #warn(line: string, { out }: Surroundings): void {
    out.warn(line);
    if (this.#warnings.includes(line)) return;
    this.#warnings.unshift(line);
    this.#warnings.length = Math.min(this.#warnings.length, mostWarnings);
    this.#jobsVersion += 1;
  }
}

const mostWarnings = 5;
