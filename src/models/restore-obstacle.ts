import { AixclError } from '../errors.ts';
import { shellWord } from '../shell-word.ts';
import type { Snapshot, SnapshotFile } from '../vault/snapshot.ts';
import type { Subject } from '../vault/subject.ts';
import type { Vault } from '../vault/vault.ts';
import { blobTitle, digestOfBytes } from './ollama/kept.ts';
import { blobsOf, parseManifest } from './ollama/manifest.ts';
import { manifestOf } from './ollama/restore.ts';

/**
 * Why a snapshot can't become `target`, as far as it shows without hashing what is large; null when nothing speaks against it. Known before
 * anything is asked, saved or touched. A model of Ollama's has to be whole, as a blob is called by its bytes; files of the other runtimes, and
 * any snapshot's in a folder, may be what they are.
 */
export async function obstacleToRestore(
  snapshot: Snapshot,
  target: Subject,
  vault: Pick<Vault, 'blobs' | 'openBlob'>,
): Promise<string | null> {
  const blobs = await vault.blobs();
  const lost = snapshot.files.find(({ digest, size }) => blobs.get(digest)?.size !== size);
  if (lost) {
    const found = blobs.get(lost.digest);
    return `the vault's blob of ${lost.path} is ${found ? `cut: ${found.size} of ${lost.size} bytes` : 'missing'}`;
  }
  if (target.runtime !== 'ollama') return null;
  try {
    return await partlyOllama(snapshot, vault);
  } catch (error) {
    if (error instanceof AixclError && error.code === 'verification') return error.message;
    throw error;
  }
}

async function partlyOllama(snapshot: Snapshot, vault: Pick<Vault, 'openBlob'>): Promise<string | null> {
  const manifest = manifestOf(snapshot);
  const content = await contentOf(manifest, vault);
  if (digestOfBytes(content) !== manifest.digest) return `the vault's blob of ${manifest.path} is damaged`;
  const parsed = parseManifest(content.toString('utf8'));
  if (typeof parsed === 'string') return `its manifest can't be used: ${parsed}`;
  for (const { digest, size } of blobsOf(parsed)) {
    const title = blobTitle(digest);
    const held = snapshot.files.find(({ path }) => path === title);
    if (!held) return `${title} was missing when it was saved`;
    if (held.digest !== digest || held.size !== size) return `${title} was damaged when it was saved`;
  }
  return null;
}

async function contentOf({ digest, size }: SnapshotFile, vault: Pick<Vault, 'openBlob'>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of await vault.openBlob(digest, size)) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/** The error of a restore that can't be; nothing was changed. */
export function notRestorable({ id, kind, subject }: Snapshot, why: string): AixclError {
  const noun = kind === 'version' ? 'versions' : 'backups';
  const others = kind === 'version' ? 'versions list' : 'backups list --model';
  return new AixclError('verification', `${id} can't be brought back as ${subject.name}: ${why}`, {
    hint: `aixcl ${others} ${shellWord(subject.name)}; its files as they are: aixcl ${noun} restore ${shellWord(id)} --to DIR`,
  });
}
