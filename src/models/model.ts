import type { GgufSummary } from './gguf/summary.ts';
import type { ModelName } from './model-name.ts';

/** A GGUF model as it lies in the models directory. */
export interface Model {
  readonly name: ModelName;
  /** True: `name` is a folder. False: a file, or the first of several shards that lie side by side. */
  readonly folder: boolean;
  readonly files: readonly ModelFile[];
  /** Bytes of all files. */
  readonly size: number;
  /** Newest of the files. */
  readonly modified: Date;
  /** Null when nothing can be read of it. */
  readonly summary: GgufSummary | null;
  /** Why llama-server could not load it, as far as structure tells; null when nothing speaks against it. */
  readonly damage: string | null;
}

export interface ModelFile {
  /** Relative to the models directory. */
  readonly path: string;
  readonly size: number;
  readonly use: 'weights' | 'projector' | 'other';
}

/** Something in the models directory that looks like a model and can't be one under the name that it has. */
export interface UnusableFile {
  /** Escaped, for display. */
  readonly name: string;
  readonly why: string;
}

/** What is known of a file's bytes beyond the file itself; kept under `.aixcl/digests` and trusted while the file is unchanged. */
export interface FileRecord {
  /** 64 hex digits. */
  readonly sha256: string;
  /** Address that the same bytes can be had from again; null when they came from this machine. */
  readonly source: string | null;
  /** The source's own mark of this version (an ETag); null when it has none. */
  readonly version: string | null;
}
