import type { FileHandle } from 'node:fs/promises';
import { AixclError } from '../../errors.ts';
import type { Digest } from '../../vault/digest.ts';
import type { FileIdentity } from '../../vault/evidence.ts';
import type { SourceFile } from '../../vault/subject.ts';
import type { Desk } from './desk.ts';
import { identityOf, unchanged } from './file-identity.ts';
import { FileChanged, openRegular } from './hashing.ts';
import type { Receipt } from './receipts.ts';
import { worthAReceipt } from './shelf.ts';

/** Coarser than the kernel's, and so fine that no command waits for it. */
const tickMs = 50;

/** A file that is to be taken in; held open for reading, and known by its identity, where it is a file that this process can open. */
export class OpenedSource implements AsyncDisposable {
  readonly file: SourceFile;
  readonly handle: FileHandle | undefined;
  readonly identity: FileIdentity | undefined;
  readonly #desk: Desk;
  /** A file that was changed just now may change once more without its times telling: they advance by a tick of the kernel's clock. */
  readonly #fresh: boolean;

  private constructor(desk: Desk, file: SourceFile, handle?: FileHandle, identity?: FileIdentity) {
    this.#desk = desk;
    this.file = file;
    this.handle = handle;
    this.identity = identity;
    this.#fresh = identity !== undefined && Date.now() - Number(BigInt(identity.ctime) / 1_000_000n) < tickMs;
  }

  /** Throws `verification` when it has another size than was said, `refused` when neither this process nor a helper may read it. */
  static async of(desk: Desk, file: SourceFile): Promise<OpenedSource> {
    if (file.bytes.kind !== 'file') return new OpenedSource(desk, file);
    const { path, descriptor } = file.bytes;
    const handle = await openRegular(path, descriptor).catch((error: unknown) => {
      if (desk.hands && error instanceof AixclError && error.code === 'refused') return undefined;
      throw error;
    });
    if (!handle) return new OpenedSource(desk, file);
    const identity = identityOf(await handle.stat({ bigint: true }));
    if (identity.size === file.size) return new OpenedSource(desk, file, handle, identity);
    await handle.close();
    throw wrongSize(file, identity.size);
  }

  /** That its bytes were hashed before and it is unchanged since. */
  async receipt(): Promise<Receipt | undefined> {
    return this.identity && this.#desk.receipts.find(this.identity);
  }

  /** Its bytes, as it was when it was opened, hash to `digest`. */
  async remember(digest: Digest): Promise<void> {
    const { bytes } = this.file;
    if (!this.handle || !this.identity || bytes.kind !== 'file' || this.#fresh) return;
    if (this.identity.size < worthAReceipt) return;
    await this.#desk.receipts.record(this.handle, bytes.path, this.identity, digest);
  }

  /** Throws `FileChanged` when it is not the file that was opened any more. */
  async assertUnchanged(): Promise<void> {
    if (!this.handle || !this.identity) return;
    const now = identityOf(await this.handle.stat({ bigint: true }));
    if (!unchanged(this.identity, now)) throw new FileChanged('it changed while it was copied');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handle?.close();
  }
}

export function wrongSize({ path, size }: SourceFile, found: number): AixclError {
  return new AixclError(
    'verification',
    `${path} is damaged: it has ${found} bytes, where ${size} were expected`,
    { hint: 'aixcl models verify' },
  );
}
