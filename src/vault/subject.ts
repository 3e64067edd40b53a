import type { Readable } from 'node:stream';
import type { Digest } from './digest.ts';

/** What a snapshot is of: a model of one of the runtimes, a plain directory, or all that is in a volume of the engine. */
export interface Subject {
  readonly runtime: 'ollama' | 'llama-server' | 'directory' | 'volume';
  /** As its runtime spells it; of a directory, its absolute path; of a volume, its name on the engine. */
  readonly name: string;
}

export function sameSubject(a: Subject, b: Subject): boolean {
  return a.runtime === b.runtime && a.name === b.name;
}

/**
 * Where bytes can be read. A file is opened without following a link at its end; one that is held open is read by its descriptor, and
 * linked by its path if that still leads to it. A stream is asked for once a reading.
 */
export type Bytes =
  | { readonly kind: 'file'; readonly path: string; readonly descriptor?: number }
  | { readonly kind: 'stream'; open(): Promise<Readable> }
  | { readonly kind: 'memory'; readonly content: Uint8Array };

/** One file to be saved. */
export interface SourceFile {
  /** Its place in the snapshot: relative, `/` between components, none of them empty, `.` or `..`. */
  readonly path: string;
  readonly size: number;
  /** What its bytes must hash to: an Ollama blob's name, a trusted record. Null: whatever they hash to. */
  readonly digest: Digest | null;
  /** True while `digest` was seen by hashing these very bytes and inode, size, mtime and ctime are as they were then. */
  readonly proven: boolean;
  readonly bytes: Bytes;
  /** Executable by its owner; of plain directories alone. */
  readonly executable?: boolean;
}

/** All that makes up a subject at one moment. Files that it holds open stay readable while it lives, whatever becomes of their names. */
export interface Source extends AsyncDisposable {
  readonly subject: Subject;
  readonly files: readonly SourceFile[];
  /** Empty folders of a plain directory, that no file stands for. */
  readonly folders?: readonly string[];
  /** Kept with the snapshot, for showing: architecture, arguments, source address, … */
  readonly facts: Readonly<Record<string, unknown>>;
  /** Throws when the subject is no longer what was read, so that what was saved would be a mixture. */
  assertUnchanged(): Promise<void>;
}
