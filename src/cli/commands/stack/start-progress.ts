import { reasonOf } from '../../../errors.ts';
import type { PullProgress } from '../../../stack/engine.ts';
import { wordsOf } from '../../../stack/health-probe.ts';
import { describe, type StartReport } from '../../../stack/start-report.ts';
import type { StartStep } from '../../../stack/start-step.ts';
import type { Progress, Task } from '../../../wiring/surroundings.ts';

/** Tells a start's course: a task a service, a task for each shared step, a task a layer of a pull. */
export class StartProgress implements StartReport {
  readonly #progress: Progress;
  readonly #tasks = new Map<string, Task>();
  readonly #layers = new Map<StartStep, Map<string, Task>>();
  /** Steps that a service still has before it, by its name. */
  readonly #left = new Map<string, number>();

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  /** What is about to be carried out; without it, every step is its own last one. */
  expect(plan: readonly StartStep[]): void {
    for (const step of plan) {
      if ('service' in step) this.#left.set(step.service, (this.#left.get(step.service) ?? 0) + 1);
    }
  }

  begin(step: StartStep): void {
    if (step.kind === 'keep') return;
    const key = keyOf(step);
    const words = verbs[step.kind];
    const task = this.#tasks.get(key);
    if (task) task.update({ text: words.doing });
    else this.#tasks.set(key, this.#start(step, key, words.doing));
  }

  detail(step: StartStep, text: string): void {
    const words = step.kind === 'wait' ? wordsOf(text) : text;
    if (words) this.#tasks.get(keyOf(step))?.update({ text: words });
  }

  /** A line about an image that is made here. */
  line(reference: string, text: string): void {
    this.#tasks.get(reference)?.update({ text });
  }

  layer(step: StartStep, { layer, text, done, total }: PullProgress): void {
    if (!layer) {
      this.detail(step, text);
      return;
    }
    const layers = this.#layers.get(step) ?? new Map<string, Task>();
    this.#layers.set(step, layers);
    if (/^(Pull complete|Already exists)$/.test(text)) {
      layers.get(layer)?.succeed('');
      layers.delete(layer);
      return;
    }
    if (done === undefined || !total) return;
    const task = layers.get(layer) ?? this.#progress.start(`  ${layer}`, total);
    layers.set(layer, task);
    task.update({ done, total, text });
  }

  end(step: StartStep, error?: unknown): void {
    for (const task of this.#layers.get(step)?.values() ?? []) task.succeed('');
    this.#layers.delete(step);
    const key = keyOf(step);
    const task = this.#tasks.get(key);
    const left = this.#oneLess(step);
    if (error !== undefined) task?.fail(`${verbs[step.kind].doing}: ${reasonOf(error)}`);
    else if (left <= 0) task?.succeed(doneWords(step));
    else return;
    this.#tasks.delete(key);
  }

  skip(step: StartStep): void {
    this.#oneLess(step);
  }

  /** How many steps of its service are still to come. */
  #oneLess(step: StartStep): number {
    if (!('service' in step)) return 0;
    const left = (this.#left.get(step.service) ?? 1) - 1;
    this.#left.set(step.service, left);
    return left;
  }

  #start(step: StartStep, key: string, text: string): Task {
    const task = this.#progress.start('service' in step ? key : describe(step).target);
    task.update({ text });
    return task;
  }
}

/** A service without a health check is up, and nobody knows more of it. */
function doneWords(step: StartStep): string {
  return step.kind === 'wait' && !step.byHealth ? 'up' : verbs[step.kind].done;
}

/** Steps of one key are told by one task. */
function keyOf(step: StartStep): string {
  if ('service' in step) return step.service;
  return 'reference' in step ? step.reference : `${step.kind} ${describe(step).target}`;
}

const verbs: Readonly<Record<StartStep['kind'], { readonly doing: string; readonly done: string }>> = {
  'make-directory': { doing: 'making the folder', done: 'folder made' },
  'pull-image': { doing: 'pulling', done: 'pulled' },
  'build-image': { doing: 'building', done: 'built' },
  'build-local-image': { doing: 'building', done: 'built' },
  'create-network': { doing: 'creating the network', done: 'network created' },
  'create-volume': { doing: 'creating the volume', done: 'volume created' },
  'hold-volumes': { doing: 'giving it to the guard to hold', done: 'held by the guard' },
  'remove-leftover': { doing: 'removing a leftover', done: 'leftover removed' },
  rename: { doing: 'giving it its name back', done: 'has its name back' },
  keep: { doing: 'keeping', done: 'kept' },
  create: { doing: 'creating', done: 'created' },
  replace: { doing: 'replacing', done: 'replaced' },
  adopt: { doing: 'taking over', done: 'taken over' },
  'finish-replace': { doing: 'going on with its replacement', done: 'replaced' },
  'go-back': { doing: 'going back to the container before', done: 'back to the container before' },
  'remove-replaced': { doing: 'removing the container before', done: 'replaced' },
  'keep-aside': { doing: 'keeping the container before', done: 'the container before is kept' },
  start: { doing: 'starting', done: 'started' },
  restart: { doing: 'restarting', done: 'restarted' },
  wait: { doing: 'waiting until healthy', done: 'healthy' },
};
