import type { PageState } from '../api.ts';
import type { Scope } from './sight.ts';

export interface Watched {
  /** Grows with each change. */
  version(): number;
  refresh(scope: Exclude<Scope, 'fresh'>): Promise<void>;
  state(): PageState;
  /** True while something is going on that is worth a quick look. */
  isLively(): boolean;
}

/** Milliseconds between two looks at everything, and between two of what is going on: no state is sent sooner than that. */
const lookEveryMs = 1000;
const quickEveryMs = 250;
/** Version of the state that a watcher has who was told none yet. */
const unseen = -1;

/** Those who want each new state. While there are none, nothing is looked at. */
export class Watchers {
  readonly #watched: Watched;
  readonly #watchers = new Map<(state: PageState) => void, number>();
  #running = false;
  #ended = false;
  #poked = false;
  #wantAll = false;
  #wake: (() => void) | undefined;

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  add(onState: (state: PageState) => void): Disposable {
    // A function of its own, as the same may watch twice.
    const watcher = (state: PageState) => onState(state);
    this.#watchers.set(watcher, unseen);
    this.poke('all');
    if (!this.#running) void this.#run();
    return {
      [Symbol.dispose]: () => {
        this.#watchers.delete(watcher);
        if (this.#watchers.size === 0) this.#wake?.();
      },
    };
  }

  /** There is something new. `all`: worth a look at everything. */
  poke(scope: 'all' | 'quick'): void {
    this.#poked = true;
    if (scope === 'all') this.#wantAll = true;
    this.#wake?.();
  }

  /** Lets all of them go. */
  end(): void {
    this.#ended = true;
    this.#watchers.clear();
    this.#wake?.();
  }

  async #run(): Promise<void> {
    this.#running = true;
    let lastAll = Number.NEGATIVE_INFINITY;
    while (this.#watchers.size > 0) {
      const began = performance.now();
      const all = this.#wantAll || began - lastAll >= lookEveryMs;
      if (all) lastAll = began;
      this.#poked = false;
      this.#wantAll = this.#wantAll && !all;
      await this.#watched.refresh(all ? 'all' : 'quick');
      this.#tell();
      await this.#pause(began, lastAll);
    }
    this.#running = false;
  }

  #tell(): void {
    const version = this.#watched.version();
    let state: PageState | undefined;
    for (const [watcher, seen] of [...this.#watchers]) {
      if (seen === version) continue;
      this.#watchers.set(watcher, version);
      state ??= this.#watched.state();
      watcher(state);
    }
  }

  /** Until the next look is due, or somebody poked; not sooner than a quarter of a second after the last one began. */
  async #pause(began: number, lastAll: number): Promise<void> {
    await this.#sleep(began + quickEveryMs - performance.now(), () =>
      [...this.#watchers.values()].includes(unseen),
    );
    if (this.#watched.isLively()) return;
    await this.#sleep(lastAll + lookEveryMs - performance.now(), () => this.#poked);
  }

  async #sleep(milliseconds: number, isOver: () => boolean): Promise<void> {
    if (milliseconds <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        if (!this.#ended && this.#watchers.size > 0 && !isOver()) return;
        clearTimeout(timer);
        resolve();
      };
      this.#wake();
    });
    this.#wake = undefined;
  }
}
