import { createHash } from 'node:crypto';
import { type Digest, digestOf, hexOf } from '../../vault/digest.ts';
import type { KeptFile, KeptModel } from '../keeper.ts';
import { blobsOf } from './manifest.ts';
import { shownName } from './name.ts';
import type { StoredBlob, StoredManifest } from './store.ts';

/** A model of Ollama's store, with the manifest that it was read from. */
export interface OllamaModel extends KeptModel {
  readonly stored: StoredManifest;
}

/** Places in a snapshot of an Ollama model, which are those below Ollama's folder `models`. */
export function manifestTitle(path: string): string {
  return `manifests/${path}`;
}

export function blobTitle(digest: Digest): string {
  return `blobs/sha256-${hexOf(digest)}`;
}

/** The digest that a blob's place names; undefined for what is none. */
export function digestOfTitle(title: string): Digest | undefined {
  const hex = /^blobs\/sha256-([0-9a-f]{64})$/.exec(title)?.[1];
  return hex === undefined ? undefined : digestOf(hex);
}

export function digestOfBytes(content: Uint8Array): Digest {
  return digestOf(createHash('sha256').update(content).digest('hex'));
}

/** Every model of a store, by what its manifests and the disk say. Nothing is hashed. */
export function keptModels(
  manifests: readonly StoredManifest[],
  blobs: ReadonlyMap<Digest, StoredBlob>,
): OllamaModel[] {
  const users = new Map<Digest, string[]>();
  for (const { name, manifest } of manifests) {
    for (const { digest } of manifest ? blobsOf(manifest) : []) {
      users.set(digest, [...(users.get(digest) ?? []), shownName(name)]);
    }
  }
  return manifests.map((stored) => {
    const name = shownName(stored.name);
    const own = stored.manifest ? blobsOf(stored.manifest) : [];
    const files: KeptFile[] = [
      {
        path: manifestTitle(stored.path),
        size: stored.content.length,
        digest: digestOfBytes(stored.content),
        sharedWith: [],
      },
      ...own.map(({ digest, size }) => ({
        path: blobTitle(digest),
        size,
        digest,
        sharedWith: (users.get(digest) ?? []).filter((user) => user !== name),
      })),
    ];
    return {
      subject: { runtime: 'ollama', name },
      size: files.reduce((sum, { size }) => sum + size, 0),
      files,
      modified: stored.modified,
      damage: damageOf(stored, blobs),
      held: heldBy(stored, manifests),
      stored,
    };
  });
}

function damageOf(
  { manifest, problem }: StoredManifest,
  blobs: ReadonlyMap<Digest, StoredBlob>,
): string | null {
  if (!manifest) return `its manifest can't be used: ${problem}`;
  for (const { digest, size } of blobsOf(manifest)) {
    const found = blobs.get(digest);
    if (!found) return `${blobTitle(digest)} is missing`;
    if (found.size !== size) return `${blobTitle(digest)} has ${found.size} of ${size} bytes`;
  }
  return null;
}

/**
 * Ollama's delete takes every layer that no readable manifest needs, and passes over those that it can't read: while there is one, removing
 * another model could take a blob that it shares.
 */
function heldBy(stored: StoredManifest, manifests: readonly StoredManifest[]): string | null {
  if (!stored.manifest) return null;
  const unreadable = manifests.filter(({ manifest }) => manifest === null);
  if (unreadable.length === 0) return null;
  const named = unreadable.map(({ name, problem }) => `${shownName(name)} (${problem})`).join(', ');
  return `the manifest of ${named} can't be used, and Ollama would delete layers that it may share`;
}
