import { chmod, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AixclError, systemCode } from '../../errors.ts';
import type { Digest } from '../../vault/digest.ts';
import type { Evidence } from '../../vault/evidence.ts';
import type { Hands } from '../../vault/hands.ts';
import type { Vault, VaultWriter, WriterWish } from '../../vault/vault.ts';
import { makeDirectory, type Ownership, ownershipOf, replaceFile } from '../durable.ts';
import { type FileLock, lockFile } from '../file-lock.ts';
import { BlobNames } from './blob-names.ts';
import { listBlobs } from './collect.ts';
import type { Desk } from './desk.ts';
import { readIndex, writeIndex } from './index-file.ts';
import { Layout } from './layout.ts';
import { Receipts } from './receipts.ts';
import { keepReserve, withReserve } from './reserve.ts';
import { nearest } from './same-mount.ts';
import { Writer } from './writer.ts';

export interface Place {
  readonly path: string;
  /** Folder whose owner, or that of what there is above it, everything in the vault belongs to: the models directory. */
  readonly ownerOf: string;
  readonly hands?: (() => Promise<Hands>) | undefined;
}

/** As `Vault.open` says. */
export async function openWriter(vault: Vault, place: Place, wish: WriterWish): Promise<VaultWriter> {
  if (!/^[A-Za-z0-9-]+$/.test(wish.operation)) {
    throw new AixclError('usage', `${JSON.stringify(wish.operation)} is no name of an operation`);
  }
  const layout = new Layout(place.path);
  const owner = await ownershipOf(await nearest(place.ownerOf));
  await assertOurs(layout);
  await makeDirectory(layout.root, owner);
  const lock = await lockFile(layout.lock, { ...wish, what: `the vault ${layout.root}`, owner });
  try {
    await lay(layout, owner);
    await clearLeftovers(layout, wish);
    await keepReserve(layout.root);
    await withReserve(layout.root, () => makeDirectory(join(layout.ingest, wish.operation), owner));
    return new Writer(vault, deskOf(layout, owner, lock, place, wish));
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
}

function deskOf(
  layout: Layout,
  owner: Ownership | undefined,
  lock: FileLock,
  { hands }: Place,
  { operation }: WriterWish,
): Desk {
  let used = 0;
  let sizes: Promise<Set<number>> | undefined;
  const turns = new Map<Digest, Promise<unknown>>();
  const found = new Map<Digest, Evidence>();
  return {
    layout,
    owner,
    lock,
    names: new BlobNames(layout.blobs),
    operation,
    hands,
    receipts: new Receipts(layout.receipts, owner),
    found,
    newName: () => join(layout.ingest, operation, String(++used)),
    alone(digest, work) {
      const turn = (turns.get(digest) ?? Promise.resolve()).then(async () => {
        const evidence = await work();
        found.set(digest, evidence);
        return evidence;
      });
      turns.set(
        digest,
        turn.catch(() => {}),
      );
      return turn;
    },
    async hasBlobOf(size) {
      sizes ??= listBlobs(layout).then((blobs) => new Set([...blobs.values()].map((blob) => blob.size)));
      return (await sizes).has(size);
    },
  };
}

/** What a vault may hold; a folder with other things in it is someone's, and no place for a new vault. */
const parts = /^(oci-layout|index\.json|blobs|ingest|quarantine|receipts|numbers|lock|lost\+found|\..*)$/;

async function assertOurs({ root }: Layout): Promise<void> {
  const names = await readdir(root).catch((error: unknown): string[] => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
  const strange = names.find((name) => !parts.test(name));
  if (names.includes('oci-layout') || strange === undefined) return;
  throw new AixclError('refused', `${root} is no vault, and holds other things: ${JSON.stringify(strange)}`, {
    hint: 'Name an empty or a new folder by AIXCL_VAULT.',
  });
}

/** Makes what is missing; the file that says what this folder is comes last. */
async function lay(layout: Layout, owner: Ownership | undefined): Promise<void> {
  const names = new Set(await readdir(layout.root));
  for (const folder of layout.folders) await makeDirectory(folder, owner);
  if (!names.has('index.json') && !(await readIndex(layout)).broken) await writeIndex(layout, [], owner);
  if (!names.has('oci-layout')) {
    // Blobs may be read by all, and some come from folders that nobody else may look into. Some file systems know no modes.
    await chmod(layout.root, 0o700).catch(() => undefined);
    await replaceFile(layout.marker, `${JSON.stringify({ imageLayoutVersion: '1.0.0' })}\n`, owner);
  }
}

/** What is being written belongs to whoever has the lock; so all that lies there now was left by commands that were killed. */
async function clearLeftovers(layout: Layout, wish: WriterWish): Promise<void> {
  for (const name of await readdir(layout.ingest)) {
    await wish.clearing?.(name);
    await rm(join(layout.ingest, name), { recursive: true, force: true });
  }
  for (const folder of [layout.root, layout.quarantine, layout.receipts]) {
    const names = await readdir(folder);
    for (const name of names.filter((each) => each.startsWith('.tmp-'))) await rm(join(folder, name));
  }
}
