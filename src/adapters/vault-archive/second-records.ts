import { lstat } from 'node:fs/promises';
import { systemCode } from '../../errors.ts';
import { isDigest } from '../../vault/digest.ts';
import type { MendStep } from '../../vault/plan-sync.ts';
import type { BrokenRecord, Snapshot } from '../../vault/snapshot.ts';
import type { Vault, VaultWriter } from '../../vault/vault.ts';
import { ownershipOf } from '../durable.ts';
import { type Entry, lookUpAll, readIndex, writeIndex } from '../vault/index-file.ts';
import { Layout } from '../vault/layout.ts';
import { claimNumber } from '../vault/numbers.ts';
import { readDescriptor, readManifest, writeDescriptor } from '../vault/records.ts';
import { findRecords, type NamedRecord, nameRecords } from './found-records.ts';

/** The records of a second vault, some of which may be damaged, as seen from the one that is brought over to it. */
export interface SecondRecords {
  /** All that it holds once `mends` are done. */
  readonly snapshots: readonly Snapshot[];
  readonly mends: readonly MendStep[];
  /** Damaged there, and not known here. */
  readonly broken: readonly BrokenRecord[];
}

interface Observed extends SecondRecords {
  /** What the index of the second vault is to hold. */
  readonly entries: readonly Entry[];
  /** Of `entries`, those that lost theirs. */
  readonly named: readonly NamedRecord[];
}

/** Reads; changes nothing. `own`: the snapshots of this vault. */
export async function observeRecords(there: Vault, own: readonly Snapshot[]): Promise<SecondRecords> {
  return observe(new Layout(there.path), own);
}

async function observe(layout: Layout, own: readonly Snapshot[]): Promise<Observed> {
  const index = await readIndex(layout);
  const ours = new Map<unknown, Snapshot>(own.map((snapshot) => [snapshot.digest, snapshot]));
  const bad = index.entries.filter((entry) => typeof readDescriptor(entry) === 'string');
  const found = index.broken || bad.length > 0 ? await findRecords(layout) : [];
  const known = (digest: unknown) => ours.has(digest) || found.some((each) => each.digest === digest);
  /** An entry that says something else than aixcl writes, of a snapshot of aixcl. */
  const spoiled = bad.filter(({ digest }) => typeof digest === 'string' && isDigest(digest) && known(digest));
  const kept = index.entries.filter((entry) => !spoiled.includes(entry));
  const lost = found.filter(({ digest }) => {
    if (kept.some((entry) => entry.digest === digest)) return false;
    return index.broken !== undefined || spoiled.some((entry) => entry.digest === digest);
  });
  const named = await nameRecords(lost, kept.flatMap(idOf), own, layout);
  const mends: MendStep[] = [];
  if (index.broken) mends.push(indexMend(index.broken.why, named.length));
  else if (spoiled.length > 0) mends.push(indexMend('it does not say what aixcl wrote', named.length));
  const snapshots: Snapshot[] = [];
  const broken: BrokenRecord[] = [];
  for (const each of await lookUpAll(kept, layout)) {
    if ('snapshot' in each) {
      snapshots.push(each.snapshot);
      continue;
    }
    const { name, why } = each.broken;
    const snapshot = ours.get(each.entry.digest);
    if (!snapshot) broken.push(each.broken);
    else {
      mends.push({ kind: 'record', name, snapshot, because: why });
      snapshots.push({ ...snapshot, id: name });
    }
  }
  return {
    snapshots: [...snapshots, ...named.map(({ snapshot }) => snapshot)],
    mends,
    broken,
    named,
    entries: [
      ...kept,
      ...named.map(
        ({ snapshot, manifestSize, tag }) => writeDescriptor(snapshot, manifestSize, tag) as Entry,
      ),
    ],
  };
}

function indexMend(why: string, count: number): MendStep {
  const because = `${why}; made anew, with ${count} snapshot${count === 1 ? '' : 's'} whose manifests lie there`;
  return { kind: 'index', name: 'index.json', because };
}

function idOf({ annotations }: Entry): string[] {
  const id = (annotations as Record<string, unknown> | undefined)?.['io.aixcl.id'];
  return typeof id === 'string' ? [id] : [];
}

/**
 * Mends them, under the locks of both: the index first, then each record from `here`. What is damaged goes to the second vault's quarantine.
 * Answers what was done.
 */
export async function mendRecords(
  here: Vault,
  other: VaultWriter,
  own: readonly Snapshot[],
  { operation, signal }: { readonly operation: string; readonly signal: AbortSignal },
): Promise<readonly MendStep[]> {
  const layout = new Layout(other.vault.path);
  const { mends, entries, named } = await observe(layout, own);
  for (const mend of mends) {
    if (mend.kind === 'record') {
      await writeRecord(here, other, mend.snapshot, signal);
      continue;
    }
    await keepAside(other, layout.index, mend.because);
    const owner = await ownershipOf(layout.root);
    for (const { snapshot, series, claimed } of named) {
      if (claimed) continue;
      await claimNumber(layout.numbers, series, {
        taken: new Set(),
        wish: snapshot.number,
        operation,
        owner,
      });
    }
    await writeIndex(layout, entries, owner);
  }
  return mends;
}

/** The damaged file stays in its place until the new one takes it. */
async function keepAside(other: VaultWriter, path: string, why: string): Promise<void> {
  const stats = await lstat(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (!stats) return;
  const bytes = { kind: 'file', path } as const;
  const file = { path: 'index.json', size: stats.size, digest: null, proven: false, bytes };
  await other.quarantine(file, { move: false, why });
}

async function writeRecord(
  here: Vault,
  other: VaultWriter,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<void> {
  const { manifest, metadata } = await here.record(snapshot);
  const read = readManifest(Buffer.from(manifest).toString('utf8'));
  if (typeof read === 'string') throw new Error(`the manifest of ${snapshot.id} was read before`);
  const files = [
    { path: 'metadata.json', digest: read.config.digest, content: metadata },
    { path: 'manifest', digest: snapshot.digest, content: manifest },
  ];
  for (const { path, digest, content } of files) {
    const bytes = { kind: 'memory', content } as const;
    const file = { path, size: content.length, digest, proven: false, bytes };
    await other.takeIn(file, { way: 'copy', recheck: true, signal });
  }
}
