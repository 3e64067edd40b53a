import { AixclError } from '../errors.ts';
import type { Evidence } from './evidence.ts';
import type { Snapshot } from './snapshot.ts';
import { type Subject, sameSubject } from './subject.ts';
import type { VaultWriter } from './vault.ts';

/**
 * Proof that every byte of a subject lies in the vault: without one, no code takes the last name from model bytes or writes over them. It is
 * good only under the lock that it was made under, and only while the vault's blobs are the files that they were.
 */
export class VerifiedBackup {
  readonly snapshot: Snapshot;
  readonly #writer: VaultWriter;
  readonly #evidence: readonly Evidence[];

  private constructor(writer: VaultWriter, snapshot: Snapshot, evidence: readonly Evidence[]) {
    this.snapshot = snapshot;
    this.#writer = writer;
    this.#evidence = evidence;
  }

  /** Called by the gate, `save`, and nowhere else without need: a test lists who does. Throws `verification` when a file of the snapshot has no evidence of this run for it. */
  static of(writer: VaultWriter, snapshot: Snapshot, evidence: readonly Evidence[]): VerifiedBackup {
    for (const { path, digest, size } of snapshot.files) {
      const proven = evidence.some(
        (each) => each.digest === digest && each.size === size && each.how !== 'trusted',
      );
      if (!proven) {
        throw new AixclError('verification', `nothing proves that ${path} of ${snapshot.id} is in the vault`);
      }
    }
    return new VerifiedBackup(writer, snapshot, evidence);
  }

  /** True when every file was hashed and is right. False: some are held as they are, unread or damaged. */
  get good(): boolean {
    return this.snapshot.damage === null && this.#evidence.every((each) => each.hashed);
  }

  /**
   * To be called right before the bytes lose their name. Throws `verification` when this is a backup of something else, when the lock was let
   * go, or when a blob is not what it was.
   */
  async assertCovers(subject: Subject): Promise<void> {
    if (!sameSubject(subject, this.snapshot.subject)) {
      throw new AixclError('verification', `the backup ${this.snapshot.id} is not of ${subject.name}`);
    }
    await this.#writer.assertUnchanged(this.#evidence);
  }
}
