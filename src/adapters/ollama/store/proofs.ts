import type { FileHandle } from 'node:fs/promises';
import type { Digest } from '../../../vault/digest.ts';
import type { FileIdentity } from '../../../vault/evidence.ts';

/** Which files were hashed and are unchanged since: the vault's receipts. */
export interface Proofs {
  /** True while this very file was found to hash to `digest`. */
  holds(digest: Digest, identity: FileIdentity): Promise<boolean>;
  /** Remembers what was just found. The file is synced before. */
  remember(digest: Digest, handle: FileHandle, identity: FileIdentity): Promise<void>;
}
