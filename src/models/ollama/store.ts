import type { Readable } from 'node:stream';
import type { Digest } from '../../vault/digest.ts';
import type { SourceFile } from '../../vault/subject.ts';
import type { WorkOptions } from '../../vault/vault.ts';
import type { ByteSource } from '../gguf/byte-source.ts';
import type { OllamaManifest } from './manifest.ts';
import type { OllamaName } from './name.ts';

/**
 * The port to what Ollama keeps on the disk: a directory of ours, or a volume inside the engine. Reading works while Ollama is stopped.
 * Partials and the private key beside the models are never read.
 */
export interface OllamaStore {
  /** For people: a path, or `volume ollama`. */
  readonly place: string;
  /** True where every look costs a request to the engine, so that a list of models reads no blob. */
  readonly distant: boolean;
  /** Every manifest; one that can't be read is there with the reason. No store yet: none. */
  manifests(): Promise<readonly StoredManifest[]>;
  /**
   * Every whole blob by its name's digest. A store that can't be listed, a volume inside the engine, answers those that a manifest names and
   * those of `also`.
   */
  blobs(also?: Iterable<Digest>): Promise<ReadonlyMap<Digest, StoredBlob>>;
  /** Reads anywhere in one blob: its header, or all of a small one. Undefined when there is none of this name. */
  peek(digest: Digest): Promise<(ByteSource & AsyncDisposable) | undefined>;
  /**
   * Blobs as files to be saved, in a directory held open while the answer lives. Throws `verification` naming the blob that is missing, is no
   * plain file, or has another size; with `size: null` any size will do.
   */
  open(blobs: readonly { readonly digest: Digest; readonly size: number | null }[]): Promise<OpenBlobs>;
  /** Begins to write, under the vault's lock: what killed commands left half-written goes. Helper containers are labelled with `operation`. */
  write(operation: string, signal: AbortSignal): Promise<StoreWriter>;
  /** Bytes of its disk; null where that can't be known. */
  space(): Promise<{ readonly free: number; readonly total: number } | null>;
}

export interface StoredManifest {
  readonly name: OllamaName;
  /** Below `manifests/`. */
  readonly path: string;
  /** The file, byte for byte; empty when it was not read. */
  readonly content: Uint8Array;
  /** Set when the file could not be read at all, so that its bytes are unknown. */
  readonly unread?: true;
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
  /** Hashes one, and remembers when it is right. Throws `verification` when it changes meanwhile. */
  hash(digest: Digest, options: WorkOptions): Promise<Digest>;
  /** Throws `verification` when a name leads to other bytes by now, or to none. */
  assertUnchanged(): Promise<void>;
}

/** What is written is synced. A blob gets its name when its bytes were hashed where they landed. Throws `noSpace`, `refused`. */
export interface StoreWriter extends AsyncDisposable {
  /** Answers false when a blob of that name is there already; its bytes are then hashed and must be right, else `verification`. */
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
