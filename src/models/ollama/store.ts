import type { Readable } from 'node:stream';
import type { Digest } from '../../vault/digest.ts';
import type { SourceFile } from '../../vault/subject.ts';
import type { WorkOptions } from '../../vault/vault.ts';
import type { OllamaManifest } from './manifest.ts';
import type { OllamaName } from './name.ts';

/**
 * The port to what Ollama keeps on the disk: a directory of ours, or a volume inside the engine. Reading works while Ollama is stopped.
 * Partials and the private key beside the models are never read.
 */
export interface OllamaStore {
  /** For people: a path, or `volume ollama`. */
  readonly place: string;
  /** Every manifest; one that can't be read is there with the reason. No store yet: none. */
  manifests(): Promise<readonly StoredManifest[]>;
  /** Every whole blob by its name's digest. */
  blobs(): Promise<ReadonlyMap<Digest, StoredBlob>>;
  /**
   * Blobs as files to be saved, held open while the answer lives, so that they stay readable whatever becomes of their names. Throws
   * `verification` naming the blob that is missing or has another size.
   */
  open(blobs: readonly { readonly digest: Digest; readonly size: number }[]): Promise<OpenBlobs>;
  /** Begins to write; helper containers are labelled with `operation`. */
  write(operation: string, signal: AbortSignal): Promise<StoreWriter>;
  /** Bytes of its disk; null where that can't be known. */
  space(): Promise<{ readonly free: number; readonly total: number } | null>;
}

export interface StoredManifest {
  readonly name: OllamaName;
  /** Below `manifests/`. */
  readonly path: string;
  /** The file, byte for byte. */
  readonly content: Uint8Array;
  readonly manifest: OllamaManifest | null;
  /** Why `manifest` is null. */
  readonly problem: string | null;
  readonly modified: Date;
}

export interface StoredBlob {
  readonly size: number;
  /** True while it was hashed before and is unchanged since. */
  readonly proven: boolean;
}

export interface OpenBlobs extends AsyncDisposable {
  /** In the order asked for; `path` is `blobs/sha256-…`. */
  readonly files: readonly SourceFile[];
  /** Hashes one, and remembers when it is right. */
  hash(digest: Digest, options: WorkOptions): Promise<Digest>;
}

/** What is written is synced. A blob gets its name when its bytes were hashed where they landed. */
export interface StoreWriter extends AsyncDisposable {
  /** Answers false when a whole blob of that size is there already; its bytes are then hashed and must be right, else `verification`. */
  putBlob(digest: Digest, size: number, bytes: BlobSource, options: WorkOptions): Promise<boolean>;
  /** Takes a damaged blob off its name, once the caller has its bytes in quarantine. */
  dropBlob(digest: Digest): Promise<void>;
  putManifest(name: OllamaName, content: Uint8Array): Promise<void>;
  /** Takes an unreadable manifest off its name, once the caller has its bytes in quarantine. */
  dropManifest(path: string): Promise<void>;
}

export interface BlobSource {
  /** A file that may be reflinked or copied; absent: only the stream. */
  readonly path?: string;
  open(): Promise<Readable>;
}
