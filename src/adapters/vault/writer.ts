import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AixclError } from '../../errors.ts';
import type { Digest } from '../../vault/digest.ts';
import type { Evidence } from '../../vault/evidence.ts';
import type { Snapshot, SnapshotDraft } from '../../vault/snapshot.ts';
import type { SourceFile } from '../../vault/subject.ts';
import type {
  Collected,
  Marks,
  SnapshotRecord,
  TakeInOptions,
  TakenFile,
  Vault,
  VaultWriter,
  WorkOptions,
} from '../../vault/vault.ts';
import { collect, removeSnapshots } from './collect.ts';
import type { Desk } from './desk.ts';
import { onVault } from './disk-errors.ts';
import { sameContent, unchanged } from './file-identity.ts';
import { openRegular, tryTwice } from './hashing.ts';
import { adopt, note, publish } from './publish.ts';
import { keepDamaged, setAside } from './quarantine.ts';
import { reinstate, retire } from './retire.ts';
import { assertBlobsUnchanged, blobIdentity, rehash, remember } from './shelf.ts';
import { takeIn } from './take-in.ts';

/** The one writer of a vault, over the parts that know how. Changes of the index wait for each other. */
export class Writer implements VaultWriter {
  readonly vault: Vault;
  readonly #desk: Desk;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(vault: Vault, desk: Desk) {
    this.vault = vault;
    this.#desk = desk;
  }

  takeIn(file: SourceFile, options: TakeInOptions): Promise<Evidence> {
    return this.#held(() => tryTwice(file.path, () => takeIn(this.#desk, file, options)));
  }

  publish(draft: SnapshotDraft, files: readonly TakenFile[], marks: Marks = {}): Promise<Snapshot> {
    return this.#inTurn(() => publish(this.#desk, draft, files, marks));
  }

  adopt(record: SnapshotRecord, files: readonly TakenFile[], number?: number): Promise<Snapshot> {
    return this.#inTurn(() => adopt(this.#desk, record, files, number));
  }

  retire(id: string, wish: Pick<SnapshotDraft, 'created' | 'reason' | 'operation'>): Promise<Snapshot> {
    return this.#inTurn(() => retire(this.#desk, id, wish));
  }

  reinstate(id: string): Promise<Snapshot> {
    return this.#inTurn(() => reinstate(this.#desk, id));
  }

  rehash(digest: Digest, size: number, options: WorkOptions): Promise<Evidence> {
    return this.#held(() => this.#desk.alone(digest, () => rehash(this.#desk, digest, size, options)));
  }

  note(id: string, change: Marks): Promise<void> {
    return this.#inTurn(() => note(this.#desk, id, change));
  }

  remove(ids: readonly string[], now: Date): Promise<{ readonly freed: number }> {
    return this.#inTurn(() => removeSnapshots(this.#desk, ids, now));
  }

  collect(options: {
    readonly now: Date;
    readonly graceSeconds: number;
    readonly dryRun: boolean;
  }): Promise<Collected> {
    return this.#inTurn(() => collect(this.#desk, options));
  }

  setAside(digest: Digest): Promise<void> {
    return this.#held(async () => {
      await setAside(this.#desk, digest, 'a verification found it damaged');
    });
  }

  quarantine(file: SourceFile, options: { readonly move: boolean; readonly why: string }): Promise<string> {
    return this.#held(() => keepDamaged(this.#desk, file, options));
  }

  assertUnchanged(evidence: readonly Evidence[]): Promise<void> {
    return this.#held(() => assertBlobsUnchanged(this.#desk, evidence));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { layout, operation, lock } = this.#desk;
    await this.#turn;
    try {
      await this.#desk.names.sync();
      await this.#renewReceipts();
      await rm(join(layout.ingest, operation), { recursive: true, force: true });
    } catch {
      // What was to be done is done. A receipt that lacks costs a hash; what lies in ingest/ is cleared by the next command.
    } finally {
      await lock[Symbol.asyncDispose]();
    }
  }

  /** Those taken over lost their other name, by which their receipts are no longer theirs. */
  async #renewReceipts(): Promise<void> {
    for (const { digest, how, hashed, blob, hashedAt } of this.#desk.found.values()) {
      if (how !== 'same-inode' || !hashed) continue;
      const there = await blobIdentity(this.#desk, digest);
      if (!there || !sameContent(there, blob) || unchanged(there, blob)) continue;
      await using handle = await openRegular(this.#desk.layout.blob(digest));
      await remember(this.#desk, handle, digest, there, hashedAt);
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(() => this.#held(work));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** Does `work` while the lock is held, and tells what the vault's disk refuses. */
  #held<T>(work: () => Promise<T>): Promise<T> {
    return onVault(this.vault.path, async () => {
      if (await this.#desk.lock.isHeld()) return work();
      throw new AixclError('verification', `the lock of the vault ${this.vault.path} is not held any more`);
    });
  }
}
