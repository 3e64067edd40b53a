import type { Digest } from './digest.ts';

/** Which bytes a name leads to: while all four are the same, so are the bytes. Nanoseconds, as decimal text where they do not fit. */
export interface FileIdentity {
  readonly device: string;
  readonly inode: string;
  readonly size: number;
  readonly mtime: string;
  readonly ctime: string;
}

/**
 * Why one file's bytes are known to lie in the vault. `same-inode`: its blob there is the very file that is about to lose its other name.
 * `rehashed`: its blob there was hashed, after it was written, in this run and under this lock. `trusted`: its blob is the file that an
 * earlier run hashed, by inode, size and times; good enough to be named by a snapshot, never to let the last name go.
 */
export interface Evidence {
  readonly digest: Digest;
  readonly size: number;
  readonly how: 'same-inode' | 'rehashed' | 'trusted';
  /** The blob in the vault, as it was when this was found. */
  readonly blob: FileIdentity;
  /** True when the bytes were hashed and are what the digest says; a linked file that nobody hashed yet is kept, but is no good copy. */
  readonly hashed: boolean;
  /** When, if that was before this run. */
  readonly hashedAt?: Date;
}
