import { stat } from 'node:fs/promises';
import type { Arguments } from 'yargs';
import { type ArchivedSnapshot, openArchive } from '../../../adapters/vault-archive/read.ts';
import { AixclError } from '../../../errors.ts';
import type { StepOutcome } from '../../../plan/step.ts';
import { shellWord } from '../../../shell-word.ts';
import type { Digest } from '../../../vault/digest.ts';
import type { Vault, VaultContents } from '../../../vault/vault.ts';
import { parseVersionId } from '../../../vault/version-id.ts';
import { withOperation } from '../../../wiring/operation.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import type { Context } from '../../context.ts';
import { bytes } from '../../output/quantity.ts';
import { assertRestorable } from './assert-restorable.ts';
import { type ForeignSnapshot, publishForeign } from './publish-foreign.ts';

const command = 'vault import';

/** `vault import FILE`: reads and checks all of it, names included, before anything is written. */
export async function importFrom(context: Context, argv: Arguments): Promise<void> {
  const file = String(argv.file);
  const vault = vaultOf(context);
  const { snapshots } = readable(vault, await vault.contents());
  await using archive = await openWhole(context, file, vault);
  for (const snapshot of archive.snapshots) assertRestorable(file, snapshot);
  const here = new Map(snapshots.map(({ digest, id }) => [digest, id]));
  const fresh = archive.snapshots.filter(({ digest }) => !here.has(digest));
  const kept = archive.snapshots.flatMap((each): ImportOutcome[] => {
    const id = here.get(each.digest);
    return id === undefined ? [] : [outcomeOf(each, id, 'kept', 'it is here already')];
  });
  if (context.flags.dryRun || fresh.length === 0) {
    const planned = fresh.map((each) => outcomeOf(each, each.id, 'planned', `from ${each.id}`));
    return report(context, [...kept, ...planned]);
  }
  const foreign = fresh.map(
    (each): ForeignSnapshot => ({
      ...each,
      // A version keeps its number where that was never used.
      ...(each.kind === 'version' && numberWish(each.id)),
      bytesOf: (digest) => ({ kind: 'stream', open: async () => archive.openBlob(digest) }),
    }),
  );
  const targets = fresh.map(({ subject }) => subject.name);
  const done = await withOperation(context, { command, targets }, async ({ writer, operation }) => {
    const outcomes: ImportOutcome[] = [];
    for (const each of foreign) {
      await operation.step('import', each.subject.name, `${each.id} of ${file}`);
      const { id } = await publishForeign(context, writer, each, { recheck: true });
      outcomes.push(outcomeOf(each, id, 'done', `it was ${each.id} where it comes from`));
    }
    return outcomes;
  });
  report(context, [...kept, ...done]);
}

function numberWish(id: string): { readonly number?: number } {
  const number = parseVersionId(id)?.number ?? undefined;
  return number === undefined ? {} : { number };
}

/** Without an index nothing can be taken in; a single record that can't be read is in nobody's way. */
function readable({ path }: Vault, contents: VaultContents): VaultContents {
  const index = contents.broken.find(({ name }) => name === 'index.json');
  if (!index) return contents;
  throw new AixclError('verification', `index.json of ${path} can't be used: ${index.why}`, {
    hint: 'Nothing was taken in. docs/recovery.md says how a record comes back.',
  });
}

async function openWhole(context: Context, file: string, vault: Vault) {
  const [present, { free }, size] = await Promise.all([vault.blobs(), vault.space(), sizeOf(file)]);
  const task = context.progress.start(`reading ${file}`, size);
  let needed = 0;
  try {
    const archive = await openArchive(file, {
      signal: context.signal,
      onProgress: (done) => task.update({ done }),
      onBlob(digest: Digest, blobSize: number) {
        if (!present.has(digest)) needed += blobSize;
        if (needed > free) throw noRoom(vault, needed, free);
      },
    });
    task.succeed();
    return archive;
  } catch (error) {
    task.fail();
    throw error;
  }
}

function noRoom({ path }: Vault, needed: number, free: number): AixclError {
  return new AixclError(
    'noSpace',
    `at least ${bytes(needed)} are needed on the disk of ${path}, which has ${bytes(free)} free; nothing was taken in`,
    { hint: `df -h ${shellWord(path)}` },
  );
}

/** `snapshot`: its id here, or, as long as it has none, where it comes from. */
interface ImportOutcome extends StepOutcome {
  readonly snapshot: string;
}

function outcomeOf(
  { subject, size }: Pick<ArchivedSnapshot, 'subject' | 'size'>,
  id: string,
  outcome: StepOutcome['outcome'],
  because: string,
): ImportOutcome {
  return {
    kind: 'import',
    target: `${id} (${subject.name})`,
    snapshot: id,
    outcome,
    because: `${because}; ${bytes(size)}`,
  };
}

const words = {
  done: 'imported',
  planned: 'would import',
  kept: 'kept',
  failed: 'failed',
  skipped: 'skipped',
};

function report(context: Context, steps: readonly ImportOutcome[]): void {
  const changed = steps.some(({ outcome }) => outcome === 'done');
  const lines = steps.map(({ outcome, target, because }) => `${words[outcome]} ${target}: ${because}`);
  const [first] = steps.filter(({ outcome }) => outcome === 'done');
  if (first) {
    const { snapshot: id } = first;
    const noun = parseVersionId(id) ? 'versions' : 'backups';
    lines.push(`next: aixcl ${noun} restore ${shellWord(id)}`);
  }
  context.out.result({ command, changed, steps }, lines.join('\n'));
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}
