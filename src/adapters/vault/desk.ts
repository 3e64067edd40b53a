import type { Digest } from '../../vault/digest.ts';
import type { Evidence } from '../../vault/evidence.ts';
import type { Hands } from '../../vault/hands.ts';
import type { Ownership } from '../durable.ts';
import type { FileLock } from '../file-lock.ts';
import type { BlobNames } from './blob-names.ts';
import type { Layout } from './layout.ts';
import type { Receipts } from './receipts.ts';

/** What all that writes into one vault shares while the lock is held. */
export interface Desk {
  readonly layout: Layout;
  readonly receipts: Receipts;
  readonly owner: Ownership | undefined;
  readonly operation: string;
  readonly lock: FileLock;
  readonly names: BlobNames;
  /** Loads the helper with more rights; absent where there is none. */
  readonly hands: (() => Promise<Hands>) | undefined;
  /** What was found under this lock. A blob that it speaks of is not replaced. */
  readonly found: Map<Digest, Evidence>;
  /** A path in `ingest/<operation>/` that nobody has used. */
  newName(): string;
  /** One at a time for the same blob. What is found is kept in `found`. */
  alone(digest: Digest, work: () => Promise<Evidence>): Promise<Evidence>;
  /** False when no blob of the vault had so many bytes when the lock was taken. */
  hasBlobOf(size: number): Promise<boolean>;
}
