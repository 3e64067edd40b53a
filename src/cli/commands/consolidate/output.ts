import type { Stats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { hashFile } from '../../../adapters/vault/hashing.ts';
import { type Consolidated, consolidatedFacts, sameMaking } from '../../../consolidate/consolidated-facts.ts';
import { AixclError, systemCode } from '../../../errors.ts';
import { type ModelName, quoted } from '../../../models/model-name.ts';
import { hexOf } from '../../../vault/digest.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import { digestsIn } from '../../../wiring/models/found-digests.ts';
import { readableContents } from '../../../wiring/readable-vault.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import { working } from '../../../wiring/working.ts';
import type { Context } from '../../context.ts';
import type { AdapterSight } from './observe-adapter.ts';
import type { BaseSight } from './observe-base.ts';

/** Whether something stands under the output's name. Throws `refused` where that is nothing that a consolidation made. */
export async function outputStands(context: Context, output: ModelName): Promise<boolean> {
  let found: Stats;
  try {
    found = await lstat(join(context.home.models, output));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
  if (!found.isFile() || (await makings(context, output)).length === 0) throw taken(output);
  return true;
}

/** The version that the standing output is, if it was made of this base and adapter in this way. Hashes all three; throws `refused` for anything else. */
export async function madeBefore(
  context: Context,
  wish: {
    readonly output: ModelName;
    readonly base: BaseSight;
    readonly adapter: AdapterSight;
    readonly way: Consolidated['way'];
  },
): Promise<string> {
  const { output, base, adapter, way } = wish;
  const candidates = await makings(context, output);
  const path = join(context.home.models, output);
  const { size } = await lstat(path);
  const standing = await working(context, `Checking ${quoted(output)}`, size, (options) =>
    hashFile(path, options),
  );
  const [ofBase, ofAdapter] = [
    await digestsIn(context, base.found),
    await digestsIn(context, adapter.planned.found),
  ];
  const now = {
    base: { name: base.found.model.subject.name, files: ofBase },
    adapter: { files: ofAdapter },
    way,
  };
  const same = candidates.find(
    ({ snapshot, made }) =>
      snapshot.files.some(({ digest }) => digest === standing.digest) && sameMaking(made, now),
  );
  if (same) return same.snapshot.id;
  throw taken(output);
}

async function makings(
  context: Context,
  output: ModelName,
): Promise<{ readonly snapshot: Snapshot; readonly made: Consolidated }[]> {
  const { snapshots } = await readableContents(vaultOf(context));
  return snapshots.flatMap((snapshot) => {
    const { kind, subject, facts } = snapshot;
    if (kind !== 'version' || subject.runtime !== 'llama-server' || subject.name !== output) return [];
    const made = consolidatedFacts(facts);
    return made ? [{ snapshot, made }] : [];
  });
}

/** The error of a name that something else has. */
export function taken(output: ModelName): AixclError {
  return new AixclError('refused', `${quoted(output)} is there already, and stays as it is`, {
    hint: 'Give the merged model a name of its own: --output NAME',
  });
}

/** Sums of a snapshot's files, as `facts.consolidated` has them. */
export function sumsOf(files: Snapshot['files']): Consolidated['base']['files'] {
  return files.map(({ path, digest }) => ({ path, sha256: hexOf(digest) }));
}
