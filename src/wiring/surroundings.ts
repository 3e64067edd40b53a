import type { Home } from '../home.ts';
import type { StackDefinition } from '../stack/definition/types.ts';
import type { Engine } from '../stack/engine.ts';

/** What work on models and snapshots needs of whoever has it done: the command line, or the page. */
export interface Surroundings {
  /** Process environment over the home's `.env`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: Home;
  /** Aborted when the work is to stop; `reason` is the AixclError to end with. */
  readonly signal: AbortSignal;
  readonly flags: {
    /** Nothing is to be changed, only said what would be. */
    readonly dryRun: boolean;
    /** Seconds to wait for another aixcl that is at work. */
    readonly waitLock: number;
  };
  readonly out: {
    /** Something that is not right beside the work. */
    warn(line: string): void;
  };
  readonly progress: Progress;
  /** Never an engine here, as in the page's container: nothing is asked of it, and no helper container is there to be had. */
  readonly engineless?: boolean;
  /** Throws `engineUnreachable` where there is none. Connected once. */
  engine(): Promise<Engine>;
  /** The stack's definition. Read once. */
  definition(): Promise<StackDefinition>;
}

/** Shows work that takes a while. */
export interface Progress {
  /** A piece of work under `label`. With `total` (bytes) it shows bytes, rate and time left. Always end it. */
  start(label: string, total?: number): Task;
}

export interface Task {
  /** Bytes done so far (and, where it became known only now, the total), or a new text. */
  update(change: { done?: number; total?: number; text?: string }): void;
  /** Something that it said, in its own words: stays to be read. Absent: is shown by nobody. */
  says?(line: string): void;
  succeed(text?: string): void;
  fail(text?: string): void;
}
