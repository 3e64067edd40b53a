import type { Digest } from '../vault/digest.ts';
import type { Snapshot } from '../vault/snapshot.ts';
import type { Source, Subject } from '../vault/subject.ts';
import type { Vault, VaultWriter, WorkOptions } from '../vault/vault.ts';
import type { VerifiedBackup } from '../vault/verified-backup.ts';
import type { Standing } from './plan-restore.ts';

/**
 * The port to one place where models live (Ollama's store, the models directory) or plain directories are: all that saving, removing and
 * restoring need of it, whichever it is.
 */
export interface Keeper {
  readonly runtime: Subject['runtime'];
  /** Every model, damaged ones too; works with everything stopped. Of plain directories: none. */
  list(): Promise<readonly KeptModel[]>;
  /** The one that `name` means, in any spelling that its runtime takes. */
  find(name: string): Promise<KeptModel | undefined>;
  /**
   * What a snapshot of it would hold. Throws `verification` when parts are missing or unreadable; with `partial` these are left out, and
   * `facts.missing` (a list of paths) names them.
   */
  open(model: KeptModel, options?: { readonly partial: boolean }): Promise<Source>;
  /** Bytes of the disk that its models lie on, for this user; null where that can't be known. */
  space(): Promise<{ readonly free: number; readonly total: number } | null>;
  /** True when a command that changes names was killed, or is at it now: what is seen may be half of it. */
  unfinished?(): Promise<boolean>;
  /** Finishes, or takes back, what a killed command began. Called by the next one that changes something, once it has the vault. */
  recover?(writer: VaultWriter, options: RecoverOptions): Promise<void>;
  /** Re-hashes every file; answers what is wrong, nothing when all is right. Remembers what was found right. */
  verify(model: KeptModel, options: WorkOptions): Promise<readonly DamagedFile[]>;
  /** Hashes every file: digest by path. Of those whose files carry none after `verify`. */
  digests?(model: KeptModel, options: WorkOptions): Promise<ReadonlyMap<string, Digest>>;
  /**
   * What stands where a snapshot is to be put. Of those into which a snapshot is put beside what stands, and never over it: `nothing` where
   * all of that is a part of the snapshot, `refused` for anything else.
   */
  compare?(target: Subject, snapshot: Snapshot, options: WorkOptions): Promise<Standing>;
  /** Takes it away through its runtime and checks that it is gone. Throws `notRunning` when that needs a service that does not run. */
  remove(model: KeptModel, proof: VerifiedBackup): Promise<void>;
  /**
   * Puts a snapshot back under `target`'s name: staged, hashed after it landed, files first with fresh times, its name last. `standing`
   * proves that what stands under the name is kept; damaged parts of it were set aside before. A snapshot's bytes come from `vault`.
   */
  restore(snapshot: Snapshot, options: RestoreOptions): Promise<void>;
  /** Moves one damaged file into quarantine, and, where the vault or the source has the right bytes, puts those in its place. */
  mend(model: KeptModel, damaged: DamagedFile, options: MendOptions): Promise<void>;
}

export interface RecoverOptions extends WorkOptions {
  /** Called before what `operation` (of the journal) left is finished or taken back; `because` says what becomes of it. */
  settling(operation: string, because: string): Promise<void>;
}

export interface KeptModel {
  readonly subject: Subject;
  /** Bytes of all its files; those that are shared too. */
  readonly size: number;
  readonly files: readonly KeptFile[];
  readonly modified: Date;
  /** Why it is known, without hashing, to be damaged: a manifest that can't be read, a file that is missing or cut. */
  readonly damage: string | null;
  /** Why it can't be removed now, whatever is saved: shared with something unreadable, say. */
  readonly held: string | null;
}

export interface KeptFile {
  /** As in a snapshot of it. */
  readonly path: string;
  readonly size: number;
  /** `sha256:…`; null when nobody knows it yet. */
  readonly digest: string | null;
  /** Names of other models that have this file too; it stays when this model goes. */
  readonly sharedWith: readonly string[];
  /** True when these bytes have a name elsewhere too, that no model has: they may be written through it, so that the vault needs its own. */
  readonly linkedElsewhere?: boolean;
}

export interface DamagedFile {
  /** As in a snapshot of it: `blobs/sha256-…`. */
  readonly path: string;
  readonly digest: string | null;
  readonly why: string;
}

export interface RestoreOptions extends WorkOptions {
  readonly vault: Vault;
  readonly writer: VaultWriter;
  /** Name to restore under; that of the snapshot unless the user gave another. */
  readonly target: Subject;
  /** Of the journal: names what is staged, and labels helpers. */
  readonly operation: string;
  /** What stands there, and is written over. */
  readonly standing: VerifiedBackup | 'nothing';
}

export interface MendOptions extends WorkOptions {
  readonly vault: Vault;
  readonly writer: VaultWriter;
  /** A file with the right bytes, when the vault has none. Fetched by the caller. */
  readonly fetched: string | null;
}
