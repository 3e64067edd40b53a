import { constants } from 'node:fs';
import { type FileHandle, open, statfs } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { AixclError, systemCode } from '../../errors.ts';
import type { Digest } from '../../vault/digest.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type {
  BlobState,
  SnapshotRecord,
  Vault,
  VaultContents,
  VaultWriter,
  WriterWish,
} from '../../vault/vault.ts';
import { onVault } from './disk-errors.ts';
import { Layout } from './layout.ts';
import type { Place } from './open-writer.ts';
import { nearest, onSameMount } from './same-mount.ts';

/** A vault in a directory: an OCI image layout (docs/vault.md). */
export class VaultDirectory implements Vault {
  readonly path: string;
  readonly #place: Place;
  readonly #layout: Layout;

  constructor(place: Place) {
    this.path = place.path;
    this.#place = place;
    this.#layout = new Layout(place.path);
  }

  contents(): Promise<VaultContents> {
    return onVault(this.path, async () => {
      const { readIndex, lookUpAll } = await import('./index-file.ts');
      const index = await readIndex(this.#layout);
      const all = await lookUpAll(index.entries, this.#layout);
      const snapshots = all.flatMap((each) => ('snapshot' in each ? [each.snapshot] : []));
      const broken = all.flatMap((each) => ('broken' in each ? [each.broken] : []));
      return {
        snapshots: snapshots.sort((a, b) => b.created.getTime() - a.created.getTime() || b.number - a.number),
        broken: index.broken ? [index.broken, ...broken] : broken,
      };
    });
  }

  blobs(): Promise<ReadonlyMap<Digest, BlobState>> {
    return onVault(this.path, async () => {
      const { listBlobs } = await import('./collect.ts');
      return listBlobs(this.#layout);
    });
  }

  openBlob(digest: Digest, size: number): Promise<Readable> {
    return onVault(this.path, async () => {
      const handle = await this.#open(digest);
      const stats = await handle.stat();
      if (stats.isFile() && stats.size === size) return handle.createReadStream();
      await handle.close();
      throw new AixclError(
        'verification',
        `the blob ${digest} of the vault has ${stats.size} bytes, where ${size} were expected`,
        { hint: 'aixcl vault verify' },
      );
    });
  }

  blobPath(digest: Digest): string {
    return this.#layout.blob(digest);
  }

  record(snapshot: Snapshot): Promise<SnapshotRecord> {
    return onVault(this.path, async () => {
      const { recordOf } = await import('./index-file.ts');
      return recordOf(snapshot.digest, this.#layout);
    });
  }

  space(): Promise<{ readonly free: number; readonly total: number }> {
    return onVault(this.path, async () => {
      const { bavail, blocks, bsize } = await statfs(await nearest(this.path));
      return { free: bavail * bsize, total: blocks * bsize };
    });
  }

  sharesDisk(path: string): Promise<boolean> {
    return onSameMount(this.path, path);
  }

  open(wish: WriterWish): Promise<VaultWriter> {
    return onVault(this.path, async () => {
      const { openWriter } = await import('./open-writer.ts');
      return openWriter(this, this.#place, wish);
    });
  }

  async #open(digest: Digest): Promise<FileHandle> {
    try {
      return await open(this.#layout.blob(digest), constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
      throw new AixclError('verification', `the blob ${digest} of the vault is missing`, {
        hint: 'aixcl vault verify',
      });
    }
  }
}
