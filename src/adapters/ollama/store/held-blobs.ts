import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { AixclError, systemCode } from '../../../errors.ts';
import type { OpenBlobs } from '../../../models/ollama/store.ts';
import { shellWord } from '../../../shell-word.ts';
import type { Digest } from '../../../vault/digest.ts';
import type { FileIdentity } from '../../../vault/evidence.ts';
import type { SourceFile } from '../../../vault/subject.ts';
import type { WorkOptions } from '../../../vault/vault.ts';
import { identityOf, sameContent } from '../../vault/file-identity.ts';
import { hashWhole, tryTwice } from '../../vault/hashing.ts';
import type { Proofs } from './proofs.ts';

interface Held {
  readonly handle: FileHandle;
  readonly path: string;
  /** As in a snapshot. */
  readonly shown: string;
  readonly identity: FileIdentity;
}

/** Opens a blob. `size`: what its manifest says; null: whatever it has. Throws `verification` for what is missing, no plain file, or cut. */
export async function openBlob(path: string, shown: string, size: number | null): Promise<Held> {
  const handle = await opened(path, shown);
  try {
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) throw broken(shown, 'is no regular file');
    const identity = identityOf(stats);
    if (size !== null && identity.size !== size) throw broken(shown, `has ${identity.size} of ${size} bytes`);
    return { handle, path, shown, identity };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function opened(path: string, shown: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    switch (systemCode(error)) {
      case 'ENOENT':
      case 'ENOTDIR':
        throw broken(shown, 'is missing', error);
      case 'ELOOP':
      case 'ENXIO':
        throw broken(shown, 'is no regular file', error);
      case 'EACCES':
        throw new AixclError('refused', `${path} can't be read by this user`, {
          hint: `ls -l ${shellWord(path)}`,
          cause: error,
        });
      default:
        throw error;
    }
  }
}

/** A blob that is not what its manifest says, as users are told. */
export function broken(shown: string, how: string, cause?: unknown): AixclError {
  return new AixclError('verification', `${shown} of Ollama's store ${how}`, {
    hint: 'aixcl models verify --repair',
    ...(cause !== undefined && { cause }),
  });
}

/** Blobs that are held open, so that they can be read after Ollama has removed their names. */
export class HeldBlobs implements OpenBlobs {
  readonly files: SourceFile[] = [];
  readonly #held = new Map<Digest, Held>();
  readonly #proofs: Proofs;

  constructor(proofs: Proofs) {
    this.#proofs = proofs;
  }

  async add(digest: Digest, held: Held): Promise<void> {
    this.#held.set(digest, held);
    this.files.push({
      path: held.shown,
      size: held.identity.size,
      digest,
      proven: await this.#proofs.holds(digest, held.identity),
      bytes: { kind: 'file', path: held.path, descriptor: held.handle.fd },
    });
  }

  async hash(digest: Digest, options: WorkOptions): Promise<Digest> {
    const held = this.#held.get(digest);
    if (!held) throw new Error(`${digest} was not opened`);
    const found = await tryTwice(held.shown, () => hashWhole(held.handle, options));
    if (found.digest === digest) await this.#proofs.remember(digest, held.handle, held.path, found.identity);
    return found.digest;
  }

  async assertUnchanged(): Promise<void> {
    for (const { handle, path, shown, identity } of this.#held.values()) {
      const now = [await handle.stat({ bigint: true }), await lstatOf(path)];
      for (const stats of now) {
        if (!stats || !sameContent(identityOf(stats), identity)) {
          throw new AixclError('verification', `${shown} of Ollama's store changed while it was read`, {
            hint: 'Let Ollama finish what it does, then run the command again.',
          });
        }
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#held.values()].map(({ handle }) => handle.close()));
  }
}

async function lstatOf(path: string) {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
