import { join } from 'node:path';
import { type Digest, hexOf } from '../../vault/digest.ts';

/** Where things lie in a vault (docs/vault.md). All paths absolute. */
export class Layout {
  readonly root: string;
  readonly marker: string;
  readonly index: string;
  readonly blobs: string;
  readonly ingest: string;
  readonly quarantine: string;
  readonly receipts: string;
  readonly numbers: string;
  readonly lock: string;

  constructor(root: string) {
    this.root = root;
    this.marker = join(root, 'oci-layout');
    this.index = join(root, 'index.json');
    this.blobs = join(root, 'blobs', 'sha256');
    this.ingest = join(root, 'ingest');
    this.quarantine = join(root, 'quarantine');
    this.receipts = join(root, 'receipts');
    this.numbers = join(root, 'numbers');
    this.lock = join(root, 'lock');
  }

  blob(digest: Digest): string {
    return join(this.blobs, hexOf(digest));
  }

  get folders(): readonly string[] {
    return [this.blobs, this.ingest, this.quarantine, this.receipts, this.numbers];
  }
}
