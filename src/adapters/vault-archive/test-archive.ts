import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { type Digest, digestOf } from '../../vault/digest.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { Vault } from '../../vault/vault.ts';
import { writeManifest, writeMetadata } from '../vault/records.ts';

export function sha256(content: Uint8Array | string): Digest {
  return digestOf(createHash('sha256').update(content).digest('hex'));
}

export interface TestSnapshot {
  readonly snapshot: Snapshot;
  readonly manifest: Buffer;
  readonly metadata: Buffer;
  readonly contents: ReadonlyMap<Digest, Buffer>;
}

/** A snapshot of a GGUF model as a vault would hold it, in memory. */
export function testSnapshot(
  id: string,
  name: string,
  files: Readonly<Record<string, string>>,
): TestSnapshot {
  const contents = new Map(Object.values(files).map((text) => [sha256(text), Buffer.from(text)]));
  const draft = {
    kind: 'backup',
    backupType: 'emergency',
    subject: { runtime: 'llama-server', name },
    created: new Date('2026-11-22T01:02:03.000Z'),
    reason: '',
    operation: 'a',
    folders: [],
    facts: {},
  } as const;
  const list = Object.entries(files).map(([path, text]) => ({
    path,
    digest: sha256(text),
    size: Buffer.byteLength(text),
  }));
  const metadata = writeMetadata(draft);
  const manifest = writeManifest({ digest: sha256(metadata), size: metadata.length }, list);
  const marks = { verified: null, damage: null, undone: null, places: [] };
  const size = list.reduce((sum, each) => sum + each.size, 0);
  const number = Number(id.slice(1));
  const snapshot = { ...draft, ...marks, id, number, digest: sha256(manifest), files: list, size };
  return { snapshot, manifest, metadata, contents };
}

/** As much of a vault as an export reads. */
export function testVault(snapshots: readonly TestSnapshot[]): Vault {
  const all = new Map(snapshots.flatMap(({ contents }) => [...contents]));
  const vault: Partial<Vault> = {
    path: '/vault',
    record: async ({ digest }) => snapshots.find((each) => each.snapshot.digest === digest)!,
    openBlob: async (digest) => Readable.from([all.get(digest)!]),
  };
  return vault as Vault;
}

export interface RawEntry {
  readonly name: string;
  readonly content?: string | Uint8Array;
  readonly type?: 'symlink' | 'link' | 'directory' | 'character-device' | 'fifo';
  readonly linkname?: string;
}

/** A tar of whatever one likes. */
export function tarOf(entries: readonly RawEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { name, content = '', type, linkname } of entries) {
    const header = { name, ...(type && { type }), ...(linkname && { linkname }) };
    tar.entry(header, Buffer.from(content));
  }
  tar.finalize();
  return buffer(tar as unknown as NodeJS.ReadableStream);
}
