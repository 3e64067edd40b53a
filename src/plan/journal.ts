/**
 * The port to the journal: what is being changed, step by step, each line on the disk before the step is taken. What was interrupted shows by
 * an operation that began and did not end.
 */
export interface Journal {
  /** Begins an operation. `command` as the user would type it: `models remove`. */
  begin(command: string, targets: readonly string[]): Promise<Operation>;
  /** An operation that begins with its first step. Without one it leaves no line. */
  beginLater(command: string, targets: readonly string[]): LateOperation;
  /** All lines, oldest first. What can't be read is left out and counted. */
  read(): Promise<JournalText>;
  /** The last lines of this month, some hundred at most: for one who can't wait for all. */
  readEnd(): Promise<JournalText>;
}

export interface JournalText {
  readonly entries: readonly JournalEntry[];
  readonly unreadable: number;
}

export interface Operation {
  /** Sorts by time; letters, digits and dashes: `20261122t013204-1f3a9c`. Labels helper containers, names folders under `ingest/`. */
  readonly id: string;
  /** Says what is about to be done. On the disk when it resolves. */
  readonly step: Note;
  end(outcome: 'done' | 'partly' | 'failed' | 'interrupted', because?: string): Promise<void>;
}

export interface LateOperation extends Operation {
  readonly began: boolean;
}

/** Says in the journal what is about to be done; it is on the disk when this resolves. */
export type Note = (kind: string, target: string, because: string) => Promise<void>;

export type JournalEntry = {
  /** ISO 8601 UTC, milliseconds. */
  readonly time: string;
  readonly operation: string;
} & (
  | {
      readonly event: 'begin';
      readonly command: string;
      readonly targets: readonly string[];
      readonly pid: number;
      /** Tells its process from a later one of that number; absent where the system does not tell. */
      readonly process?: string | undefined;
    }
  | { readonly event: 'step'; readonly kind: string; readonly target: string; readonly because: string }
  | { readonly event: 'end'; readonly outcome: string; readonly because: string | null }
);
