import type { Ora } from 'ora';
import type { Progress, Task } from '../../wiring/surroundings.ts';
import { oneLine } from './plain.ts';
import { describeTask, type TaskState } from './task-line.ts';

export type ProgressMode = 'tty' | 'plain' | 'json' | 'quiet';

/** What `--progress auto` means on this stream. */
export function progressMode(
  wanted: string | undefined,
  stream: { readonly isTTY?: boolean; readonly columns?: number },
): ProgressMode {
  if (wanted === 'plain' || wanted === 'json' || wanted === 'quiet') return wanted;
  // A terminal without a size (`script`, a CI's) has no lines to go back over.
  if (stream.columns === 0) return 'plain';
  return wanted === 'tty' || (stream.isTTY === true && process.env.TERM !== 'dumb') ? 'tty' : 'plain';
}

/** `stderr` is asked for when there is something to tell. */
export function progressFor(
  mode: ProgressMode,
  stderr: () => NodeJS.WriteStream,
): Progress & { stop(): void } {
  switch (mode) {
    case 'quiet':
      return new Board(() => {});
    case 'json':
      return new Board((state, phase) => {
        const { label, done, total, text } = state;
        stderr().write(
          `${JSON.stringify({ type: 'progress', phase, label, done, total: total ?? null, text: text ?? null })}\n`,
        );
      });
    case 'plain':
      return new Board((state, phase) => {
        if (phase === 'says') return void stderr().write(`${said(state.text)}\n`);
        if (phase === 'update' && state.total === undefined) return;
        if (phase !== 'start') stderr().write(`${describeTask(state, phase, performance.now())}\n`);
      });
    case 'tty':
      return new LiveBoard(stderr());
  }
}

type Phase = 'start' | 'update' | 'says' | 'succeed' | 'fail';
type Tell = (state: TaskState, phase: Phase) => void;
/** Off a terminal, a line about a long piece of work this often at most. */
const plainEveryMs = 5000;

function said(line: string | undefined): string {
  return `  | ${oneLine(line ?? '')}`;
}

/** Tells each task's course in lines. */
class Board implements Progress {
  readonly #tell: Tell;

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  start(label: string, total?: number): Task {
    const state: TaskState = { label, began: performance.now(), done: 0, total, text: undefined };
    let told = state.began;
    this.#tell(state, 'start');
    return {
      update: (change) => {
        Object.assign(state, change);
        if (performance.now() - told < plainEveryMs) return;
        told = performance.now();
        this.#tell(state, 'update');
      },
      says: (text) => this.#tell({ ...state, text }, 'says'),
      succeed: (text) => this.#tell(Object.assign(state, { text: text ?? state.text }), 'succeed'),
      fail: (text) => this.#tell(Object.assign(state, { text: text ?? state.text }), 'fail'),
    };
  }

  stop(): void {}
}

/** Running tasks under one spinner, a line each; finished ones stay above it. */
class LiveBoard implements Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #running = new Set<TaskState>();
  #spinner: Promise<Ora> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  start(label: string, total?: number): Task {
    const state: TaskState = { label, began: performance.now(), done: 0, total, text: undefined };
    this.#running.add(state);
    this.#show();
    const end = (phase: 'succeed' | 'fail') => (text?: string) => {
      this.#running.delete(state);
      Object.assign(state, { text: text ?? state.text });
      this.#persist(describeTask(state, phase, performance.now()));
    };
    return {
      update: (change) => void Object.assign(state, change),
      says: (line) => this.#persist(said(line)),
      succeed: end('succeed'),
      fail: end('fail'),
    };
  }

  /** Clears the spinner for good, so that nothing is left on the screen when a command is interrupted. */
  stop(): void {
    this.#running.clear();
    clearInterval(this.#timer);
    void this.#spinner?.then((spinner) => spinner.stop());
    this.#spinner = undefined;
  }

  #show(): void {
    this.#spinner ??= import('ora').then(({ default: ora }) =>
      ora({ stream: this.#stream, discardStdin: false }).start(),
    );
    void this.#spinner.then((spinner) => this.#draw(spinner));
    this.#timer ??= setInterval(() => void this.#spinner?.then((spinner) => this.#draw(spinner)), 100);
    this.#timer.unref();
  }

  #draw(spinner: Ora): void {
    const now = performance.now();
    const rows = [...this.#running].map((state) => describeTask(state, 'update', now));
    const room = Math.max(3, (this.#stream.rows ?? 24) - 4);
    const shown = rows.length > room ? [...rows.slice(0, room), `… and ${rows.length - room} more`] : rows;
    spinner.text = shown.join('\n  ');
    if (rows.length === 0) spinner.stop();
    else if (!spinner.isSpinning) spinner.start();
  }

  #persist(line: string): void {
    void this.#spinner?.then((spinner) => {
      spinner.clear();
      this.#stream.write(`${line}\n`);
      this.#draw(spinner);
    });
  }
}
