import { Readable } from 'node:stream';
import { type Digest, parseDigest } from '../../vault/digest.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { Vault } from '../../vault/vault.ts';
import { mediaTypes, readManifest, writeDescriptor } from '../vault/records.ts';
import { bad, blobEntry } from './scan.ts';
import type { ArchiveEntry } from './write.ts';

/**
 * All that an archive of these snapshots holds: an OCI layout with nothing missing, each blob once, the small ones first, so that whoever
 * reads it as a stream knows early what it is.
 */
export async function entriesOf(vault: Vault, snapshots: readonly Snapshot[]): Promise<ArchiveEntry[]> {
  const descriptors: object[] = [];
  const records = new Map<Digest, ArchiveEntry>();
  const files = new Map<Digest, ArchiveEntry>();
  for (const snapshot of snapshots) {
    const { manifest, metadata } = await vault.record(snapshot);
    const config = configOf(manifest, vault);
    // What else its index says is about the vault that it lies in.
    const plain = { ...snapshot, undone: null, places: [] };
    descriptors.push(writeDescriptor(plain, manifest.length, tagOf(snapshot)));
    records.set(snapshot.digest, small(blobEntry(snapshot.digest), manifest, snapshot.digest));
    records.set(config, small(blobEntry(config), metadata, config));
    for (const { digest, size, path } of snapshot.files) {
      const name = blobEntry(digest);
      const shown = `${name} (${path} of ${snapshot.id}, ${snapshot.subject.name})`;
      files.set(digest, { name, size, digest, shown, open: () => vault.openBlob(digest, size) });
    }
  }
  for (const digest of records.keys()) files.delete(digest);
  const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: descriptors };
  return [
    small('oci-layout', text({ imageLayoutVersion: '1.0.0' }), null),
    small('index.json', text(index), null),
    ...records.values(),
    ...files.values(),
  ];
}

/** `b0012`, `tea.gguf@v003` as `v003`: what `skopeo inspect oci-archive:FILE:TAG` takes. */
function tagOf({ id }: Snapshot): string {
  return id.slice(id.lastIndexOf('@') + 1);
}

function configOf(manifest: Uint8Array, { path }: Vault): Digest {
  const read = readManifest(Buffer.from(manifest).toString('utf8'));
  if (typeof read === 'string') throw bad(path, read);
  return parseDigest(read.config.digest, 'a manifest');
}

function text(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
}

function small(name: string, content: Uint8Array, digest: Digest | null): ArchiveEntry {
  return { name, size: content.length, digest, shown: name, open: async () => Readable.from([content]) };
}
