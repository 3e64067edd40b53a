import type { FileIdentity } from '../vault/evidence.ts';
import type { VerifiedBackup } from '../vault/verified-backup.ts';
import type { ModelName } from './model-name.ts';

/** The port through which bytes of new models come in. Nothing is under a model's name before it is whole, checked and on the disk. */
export interface Intake {
  /** What is at a location, without fetching it; throws `notFound` and the like. */
  probe(location: Location, signal: AbortSignal): Promise<Probe>;
  /** What a path of the user's is; undefined when nothing is there. Links are followed. */
  look(path: string): Promise<LocalThing | undefined>;
  /** Bytes of the disk that the models lie on, for this user. */
  space(): Promise<{ readonly free: number; readonly total: number }>;
  /** What stands under `name`: its files by name with sizes, none when the name is free. */
  standing(name: ModelName): Promise<ReadonlyMap<string, number> | undefined>;
  /** sha256 and origin of a file that stands there; hashed unless it is recorded. `file` as given by `standing`. */
  standingRecord(name: ModelName, file: string, options: WorkOptions): Promise<StandingRecord>;
  hashLocal(path: string, options: WorkOptions): Promise<string>;
  /** Opens the place where the bytes of `order` are collected; throws `busy` when another aixcl has it open. */
  collect(order: Order): Promise<Collection>;
}

export type Location =
  | { readonly kind: 'path'; readonly path: string }
  | {
      readonly kind: 'http';
      readonly url: URL;
      /** What that host is told to let us in. A function, so that it gets into no record and no message. */
      readonly authorization?: () => string;
    }
  /** Ours already, whole and hashed; it is moved, not copied. Nothing but this file, as it was then, is meant. */
  | { readonly kind: 'received'; readonly path: string; readonly identity: FileIdentity };

export interface Probe {
  /** Bytes; null when the source does not say. */
  readonly size: number | null;
  /** sha256 that the source states. */
  readonly sha256: string | null;
  /** The source's mark of this version: a strong ETag, or a time. */
  readonly version: string | null;
}

export interface LocalThing {
  /** Absolute, links followed. */
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'other';
  /** File names in a folder. */
  readonly names: readonly string[];
}

export interface StandingRecord {
  readonly sha256: string;
  readonly source: string | null;
  readonly version: string | null;
}

export interface WorkOptions {
  readonly signal: AbortSignal;
  /** Bytes done of this piece of work, from 0. */
  readonly onProgress?: (done: number) => void;
}

export interface BringOptions extends WorkOptions {
  /** Bytes hashed of those that landed, which are `total`. */
  readonly onHash?: (done: number, total: number) => void;
}

/** One model to be brought in. */
export interface Order {
  readonly name: ModelName;
  /** True: published as a folder of this name. */
  readonly folder: boolean;
  readonly files: readonly OrderedFile[];
}

export interface OrderedFile extends Probe {
  readonly name: string;
  readonly location: Location;
}

/** Half-fetched bytes outlive it, so that the next run goes on where this one stopped. */
export interface Collection extends AsyncDisposable {
  /** Fetches or copies one file and fsyncs it. Answers its sha256, taken from what landed on the disk. */
  bring(file: OrderedFile, options: BringOptions): Promise<string>;
  /** Checks the structure of all files together; throws `verification`. */
  check(): Promise<void>;
  /** Gives the whole its name, unless that is taken: then false, and nothing is changed. */
  publish(records: ReadonlyMap<string, StandingRecord>): Promise<boolean>;
  /** Puts the whole in the place of what stands there; `proof` covers all of that. `operation`: of the journal. */
  replace(
    records: ReadonlyMap<string, StandingRecord>,
    proof: VerifiedBackup,
    operation: string,
  ): Promise<void>;
  /** Throws away what was collected. */
  discard(): Promise<void>;
}
