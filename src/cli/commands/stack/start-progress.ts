import { reasonOf } from '../../../errors.ts';
import type { PullProgress } from '../../../stack/engine.ts';
import { describe, type StartReport } from '../../../stack/start-report.ts';
import type { StartStep } from '../../../stack/start-step.ts';
import type { Context, Task } from '../../context.ts';

/** Tells a start's steps as tasks; a pull as one task a layer. */
export class StartProgress implements StartReport {
  readonly #context: Context;
  readonly #tasks = new Map<StartStep, Task>();
  readonly #layers = new Map<StartStep, Map<string, Task>>();

  constructor(context: Context) {
    this.#context = context;
  }

  begin(step: StartStep): void {
    if (step.kind === 'keep') return;
    this.#tasks.set(step, this.#context.progress.start(`${verbs[step.kind]} ${describe(step).target}`));
  }

  detail(step: StartStep, text: string): void {
    this.#tasks.get(step)?.update({ text });
  }

  /** A line about an image that is made here. */
  line(reference: string, text: string): void {
    for (const [step, task] of this.#tasks)
      if ('reference' in step && step.reference === reference) task.update({ text });
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
    let task = layers.get(layer);
    if (!task) {
      task = this.#context.progress.start(`  ${layer}`, total);
      layers.set(layer, task);
    }
    task.update({ done, total, text });
  }

  end(step: StartStep, error?: unknown): void {
    for (const task of this.#layers.get(step)?.values() ?? []) task.succeed('');
    this.#layers.delete(step);
    const task = this.#tasks.get(step);
    if (error === undefined) task?.succeed();
    else task?.fail(reasonOf(error));
    this.#tasks.delete(step);
  }
}

const verbs: Readonly<Record<StartStep['kind'], string>> = {
  'make-directory': 'make',
  'pull-image': 'pull',
  'build-image': 'build',
  'build-local-image': 'build',
  'create-network': 'create network',
  'create-volume': 'create volume',
  'remove-leftover': 'remove leftover',
  rename: 'rename',
  keep: 'keep',
  create: 'create',
  replace: 'replace',
  adopt: 'adopt',
  start: 'start',
  restart: 'restart',
  wait: 'wait for',
};
