import { createHash } from 'node:crypto';
import {
  byName,
  Evolution,
  isEvolutionFile,
  largestRead,
  type Series,
} from '../../models/evolution/series.ts';
import { digestOf } from '../../vault/digest.ts';
import type { Snapshot, SnapshotFile } from '../../vault/snapshot.ts';
import type { Vault } from '../../vault/vault.ts';
import { evolutionFiles } from '../../vault/version-files.ts';

/** The metrics of a version's run, read from the vault, with what of them can't be drawn. */
export async function readRun(
  snapshot: Snapshot,
  vault: Pick<Vault, 'openBlob'>,
  signal: AbortSignal,
): Promise<{ readonly series: readonly Series[]; readonly problems: readonly string[] }> {
  const evolution = new Evolution();
  const files = evolutionFiles(snapshot).filter(({ path }) => isEvolutionFile(path));
  for (const file of [...files].sort((a, b) => byName(a.path, b.path))) {
    signal.throwIfAborted();
    if (file.size > largestRead) evolution.problems.push(`${file.path}: too large to be drawn`);
    else {
      const text = await textOf(file, vault);
      if (text === undefined) evolution.problems.push(`${file.path}: damaged in the vault`);
      else evolution.add(file.path, text);
    }
  }
  return { series: evolution.series(), problems: evolution.problems };
}

/** Undefined for bytes that are not what was saved. */
async function textOf(
  { digest, size }: SnapshotFile,
  vault: Pick<Vault, 'openBlob'>,
): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  try {
    for await (const piece of await vault.openBlob(digest, size)) pieces.push(piece as Buffer);
  } catch {
    return undefined;
  }
  const content = Buffer.concat(pieces);
  const found = digestOf(createHash('sha256').update(content).digest('hex'));
  return found === digest ? content.toString('utf8') : undefined;
}
