import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, isDigest } from '../../vault/digest.ts';
import type { FileIdentity } from '../../vault/evidence.ts';
import { give, makeDirectory, type Ownership } from '../durable.ts';
import { identityOf, unchanged } from './file-identity.ts';

export interface Receipt {
  readonly digest: Digest;
  readonly hashedAt: Date;
}

/**
 * What files hashed to, by which file it was: `receipts/<device>-<inode>`, one line of size, mtime, ctime, digest, time and path. Good while
 * all of it is as it was. Nothing rests on a receipt alone that loses bytes for good; without them everything works, and hashes more.
 */
export class Receipts {
  readonly #folder: string;
  readonly #owner: Ownership | undefined;

  constructor(folder: string, owner?: Ownership) {
    this.#folder = folder;
    this.#owner = owner;
  }

  /** Undefined when this very file, as it is now, was not hashed before. */
  async find(identity: FileIdentity): Promise<Receipt | undefined> {
    const line = await readFile(this.#path(identity), 'utf8').catch(() => '');
    const read = parse(line);
    return read && unchanged(read.identity(identity), identity) ? read : undefined;
  }

  /**
   * Remembers that the open file, which `path` leads to, hashed to `digest` while it was `identity`. Its bytes are synced first, so that a
   * receipt never outlives them in a power cut. What can't be synced or written is not remembered.
   */
  async record(handle: FileHandle, path: string, identity: FileIdentity, digest: Digest): Promise<void> {
    const synced = await handle.sync().then(
      () => true,
      () => false,
    );
    if (synced) await this.recordSynced(handle, path, identity, digest);
  }

  /** As `record`, of a file that was synced since it was last written to. */
  async recordSynced(
    handle: FileHandle,
    path: string,
    identity: FileIdentity,
    digest: Digest,
    hashedAt = new Date(),
  ): Promise<void> {
    try {
      if (!unchanged(identityOf(await handle.stat({ bigint: true })), identity)) return;
      await makeDirectory(this.#folder, this.#owner);
      const { size, mtime, ctime } = identity;
      const line = [size, mtime, ctime, digest, hashedAt.toISOString(), JSON.stringify(path)].join(' ');
      const temporary = join(this.#folder, `.tmp-${randomBytes(6).toString('hex')}`);
      await writeFile(temporary, `${line}\n`, { flag: 'wx', mode: 0o644 });
      await this.#own(temporary);
      await rename(temporary, this.#path(identity));
    } catch {
      // A vault that is full, read-only or another user's: the file will be hashed again.
    }
  }

  async forget(identity: FileIdentity): Promise<void> {
    await unlink(this.#path(identity)).catch(() => undefined);
  }

  /** Takes away those of files that are gone or changed. Answers how many. */
  async sweep(): Promise<number> {
    const names = await readdir(this.#folder).catch(() => []);
    const gone: string[] = [];
    for (const name of names) {
      const path = join(this.#folder, name);
      if (!(await this.#stands(name, path))) gone.push(path);
    }
    for (const path of gone) await unlink(path).catch(() => undefined);
    return gone.length;
  }

  async #stands(name: string, path: string): Promise<boolean> {
    const read = parse(await readFile(path, 'utf8').catch(() => ''));
    const there = read && (await stat(read.path, { bigint: true }).catch(() => undefined));
    if (!there) return false;
    const identity = identityOf(there);
    return this.#path(identity).endsWith(`/${name}`) && unchanged(read.identity(identity), identity);
  }

  #path({ device, inode }: FileIdentity): string {
    return join(this.#folder, `${device}-${inode}`);
  }

  async #own(path: string): Promise<void> {
    if (!this.#owner) return;
    await using handle = await open(path, 'r+');
    await give(handle, this.#owner);
  }
}

interface Line extends Receipt {
  readonly path: string;
  /** What the receipt says of the file, under the device and inode of `of`, which the receipt's name holds. */
  identity(of: FileIdentity): FileIdentity;
}

function parse(line: string): Line | undefined {
  const [, size, mtime, ctime, digest, time, path] =
    /^(\d+) (-?\d+) (-?\d+) (sha256:[0-9a-f]{64}) (\S+) (".*")\n$/.exec(line) ?? [];
  if (!size || !mtime || !ctime || !digest || !time || !path || !isDigest(digest)) return undefined;
  const hashedAt = new Date(time);
  if (Number.isNaN(hashedAt.getTime())) return undefined;
  return {
    digest,
    hashedAt,
    path: JSON.parse(path) as string,
    identity: ({ device, inode }) => ({ device, inode, size: Number(size), mtime, ctime }),
  };
}
