import { lstat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { AixclError, systemCode } from '../../errors.ts';
import { type Digest, isDigest } from '../../vault/digest.ts';
import type { BlobState, Collected } from '../../vault/vault.ts';
import { namesIn } from '../names-in.ts';
import type { Desk } from './desk.ts';
import { assertReadable, type Entry, type Indexed, lookUpAll, readIndex, writeIndex } from './index-file.ts';
import type { Layout } from './layout.ts';

const blockBytes = 512;

/** Blobs of a vault; what has no digest for a name is none. */
export async function listBlobs({ blobs }: Layout): Promise<Map<Digest, BlobState>> {
  const names = await namesIn(blobs);
  const states = new Map<Digest, BlobState>();
  for (let from = 0; from < names.length; from += 64) {
    await Promise.all(
      names.slice(from, from + 64).map(async (name) => {
        const digest = `sha256:${name}`;
        const stats = await lstat(join(blobs, name)).catch(() => undefined);
        if (!isDigest(digest) || !stats?.isFile()) return;
        // Linked in, it keeps the mtime that it had; its ctime tells when it came.
        const modified = new Date(Math.max(stats.mtimeMs, stats.ctimeMs));
        const { size, nlink, blocks } = stats;
        states.set(digest, { size, modified, shared: nlink > 1, stored: blocks * blockBytes });
      }),
    );
  }
  return states;
}

type Whole = Extract<Indexed, { snapshot: unknown }>;

/** Every record, when all can be read and none is in the future: else `refused`, as what a record needs would not be known. */
async function readAll(layout: Layout, now: Date): Promise<Whole[]> {
  const index = await readIndex(layout);
  assertReadable(index, layout);
  const all = await lookUpAll(index.entries, layout);
  const broken = all.flatMap((each) => ('broken' in each ? [each.broken] : []));
  if (broken.length > 0) {
    throw new AixclError('refused', 'Nothing is deleted from the vault while a record of it is broken', {
      evidence: broken.map(({ name, why }) => `${name}: ${why}`),
      hint: 'aixcl vault verify',
    });
  }
  const whole = all.filter((each): each is Whole => 'snapshot' in each);
  const future = whole.find(({ snapshot }) => snapshot.created > now);
  if (future) {
    const { id, created } = future.snapshot;
    throw new AixclError(
      'refused',
      `Nothing is deleted from the vault while ${id} is dated ${created.toISOString()}, which is in the future`,
      { hint: 'date   (is the clock of this machine right?)' },
    );
  }
  return whole;
}

/** As `VaultWriter.remove` says. */
export async function removeSnapshots(
  desk: Desk,
  ids: readonly string[],
  now: Date,
): Promise<{ readonly freed: number }> {
  const all = await readAll(desk.layout, now);
  const unknown = ids.find((id) => !all.some(({ snapshot }) => snapshot.id === id));
  if (unknown !== undefined) {
    throw new AixclError('notFound', `the vault has no ${unknown}`, { hint: 'aixcl backups list' });
  }
  const kept = all.filter(({ snapshot }) => !ids.includes(snapshot.id));
  const going = all.filter(({ snapshot }) => ids.includes(snapshot.id));
  await writeIndex(
    desk.layout,
    kept.map(({ entry }): Entry => entry),
    desk.owner,
  );
  const needed = digestsOf(kept);
  const free = [...digestsOf(going)].filter((digest) => !needed.has(digest));
  const states = await listBlobs(desk.layout);
  await sweep(desk, free);
  return { freed: bytesOf(free, states) };
}

/** As `VaultWriter.collect` says. */
export async function collect(
  desk: Desk,
  options: { readonly now: Date; readonly graceSeconds: number; readonly dryRun: boolean },
): Promise<Collected> {
  const all = await readAll(desk.layout, options.now);
  const states = await listBlobs(desk.layout);
  for (const { snapshot, blobs } of all) {
    const missing = blobs.find(({ digest, size }) => states.get(digest)?.size !== size);
    if (!missing) continue;
    throw new AixclError(
      'refused',
      `Nothing is deleted from the vault while ${missing.digest} of ${snapshot.id} is missing or cut off`,
      { hint: 'aixcl vault verify' },
    );
  }
  const needed = digestsOf(all);
  const loose = [...states].filter(([digest]) => !needed.has(digest));
  const newest = options.now.getTime() - options.graceSeconds * 1000;
  const old = loose.filter(([, { modified }]) => modified.getTime() <= newest).map(([digest]) => digest);
  if (!options.dryRun) {
    await sweep(desk, old);
    await desk.receipts.sweep();
  }
  return {
    blobs: old.map((digest) => ({ digest, size: states.get(digest)?.size ?? 0 })),
    bytes: bytesOf(old, states),
    young: loose.length - old.length,
  };
}

function digestsOf(all: readonly Whole[]): Set<Digest> {
  return new Set(all.flatMap(({ blobs }) => blobs.map(({ digest }) => digest)));
}

/** Bytes that the disk gets back: a file with another name elsewhere stays. */
function bytesOf(digests: readonly Digest[], states: ReadonlyMap<Digest, BlobState>): number {
  return digests.reduce((sum, digest) => {
    const state = states.get(digest);
    return sum + (state && !state.shared ? state.stored : 0);
  }, 0);
}

/** Takes blobs away that no record of the index needs any more. */
export async function sweep(desk: Desk, digests: readonly Digest[]): Promise<void> {
  if (digests.length === 0) return;
  if (!(await desk.lock.isHeld())) throw new AixclError('verification', 'the lock of the vault is lost');
  for (const digest of digests) {
    await unlink(desk.layout.blob(digest)).catch((error: unknown) => {
      if (systemCode(error) !== 'ENOENT') throw error;
    });
    desk.found.delete(digest);
  }
  desk.names.changed();
  await desk.names.sync();
}
