import type { FileHandle } from 'node:fs/promises';
import type { Digest } from '../../../vault/digest.ts';
import type { FileIdentity } from '../../../vault/evidence.ts';
import type { Receipts } from '../../vault/receipts.ts';

/** Which files were hashed and are unchanged since. */
export interface Proofs {
  /** True while this very file was found to hash to `digest`. */
  holds(digest: Digest, identity: FileIdentity): Promise<boolean>;
  /** Remembers that the open file at `path` was just found to hash to `digest`. */
  remember(digest: Digest, handle: FileHandle, path: string, identity: FileIdentity): Promise<void>;
}

/** By the vault's receipts. */
export function proofsBy(receipts: Receipts): Proofs {
  return {
    holds: async (digest, identity) => (await receipts.find(identity))?.digest === digest,
    remember: (digest, handle, path, identity) => receipts.record(handle, path, identity, digest),
  };
}
