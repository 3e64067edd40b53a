import type { Arguments } from 'yargs';
import { claimNumbersOf } from '../../../adapters/vault-archive/claim-numbers.ts';
import { mendRecords, observeRecords } from '../../../adapters/vault-archive/second-records.ts';
import { AixclError, reasonOf } from '../../../errors.ts';
import type { StepOutcome } from '../../../plan/step.ts';
import { shellWord } from '../../../shell-word.ts';
import { type MendStep, planSync, type SyncStep } from '../../../vault/plan-sync.ts';
import type { BrokenRecord, Snapshot } from '../../../vault/snapshot.ts';
import type { Vault, VaultWriter } from '../../../vault/vault.ts';
import { withOperation } from '../../../wiring/operation.ts';
import { secondVaultOf, vaultOf } from '../../../wiring/vault.ts';
import type { Context } from '../../context.ts';
import { bytes } from '../../output/quantity.ts';
import { publishForeign } from './publish-foreign.ts';
import { consentToPlace, observePlace } from './second-place.ts';

const command = 'vault sync';

interface SyncOptions {
  /** Re-hash there what is there already. */
  readonly verify: boolean;
  /** Begin anew where a vault was before. */
  readonly anew: boolean;
}

/** `vault sync FOLDER`: what this vault has and the one in FOLDER has not is copied there, read again there, and noted here. Deletes nothing. */
export async function sync(context: Context, argv: Arguments): Promise<void> {
  const options: SyncOptions = { verify: argv.verify === true, anew: argv.new === true };
  const here = vaultOf(context);
  const place = await observePlace(here, String(argv.folder));
  const there = secondVaultOf(context, place.path);
  const own = await readable(here);
  await consentToPlace(context, place, own, options.anew);
  const records = await observeRecords(there, own);
  const plan = planSync(own, records.snapshots);
  await assertRoom(plan, there);
  if (context.flags.dryRun) {
    const steps = [...records.mends.map((mend) => mended(mend, 'planned')), ...plan.map(planned)];
    return report(context, [...steps, ...records.broken.map(left)], []);
  }
  const targets = [place.path];
  const { outcomes, failures } = await withOperation(context, { command, targets }, async (turn) => {
    await using other = await there.open({
      holder: `aixcl ${command}`,
      operation: turn.operation.id,
      patience: context.flags.waitLock,
      signal: context.signal,
    });
    // Read again, now that nobody else writes.
    const now = await readable(here);
    await turn.operation.step('sync', place.path, `${now.length} snapshots of ${here.path}`);
    const { signal } = context;
    const mends = await mendRecords(here, other, now, { operation: turn.operation.id, signal });
    const { snapshots, broken } = await there.contents();
    const steps = planSync(now, snapshots);
    const done = await bringOver(context, here, turn.writer, other, steps, place.path, options);
    await claimNumbersOf(here, there, await readable(here));
    return {
      outcomes: [...mends.map((mend) => mended(mend, 'done')), ...done.outcomes, ...broken.map(left)],
      failures: [...done.failures, ...broken.map((record) => unreadable(there, record, leftThere))],
    };
  });
  report(context, outcomes, failures);
}

const leftThere = 'All else was brought over. docs/recovery.md says how a record comes back.';

async function readable(vault: Vault): Promise<readonly Snapshot[]> {
  const { snapshots, broken } = await vault.contents();
  const [first] = broken;
  if (!first) return snapshots;
  throw unreadable(vault, first, 'Nothing was copied. docs/recovery.md says how a record comes back.');
}

function unreadable({ path }: Vault, { name, why }: BrokenRecord, hint: string): AixclError {
  return new AixclError('verification', `the record ${name} of ${path} can't be read: ${why}`, { hint });
}

async function bringOver(
  context: Context,
  here: Vault,
  writer: VaultWriter,
  other: VaultWriter,
  steps: readonly SyncStep[],
  path: string,
  { verify }: SyncOptions,
): Promise<{ outcomes: StepOutcome[]; failures: AixclError[] }> {
  const outcomes: StepOutcome[] = [];
  const failures: AixclError[] = [];
  for (const step of steps) {
    const { snapshot } = step;
    if (step.kind === 'skip') {
      outcomes.push(outcomeOf(step, 'skipped', step.because));
      continue;
    }
    try {
      const foreign = {
        ...snapshot,
        record: await here.record(snapshot),
        bytesOf: (digest: Snapshot['digest']) => ({ kind: 'file' as const, path: here.blobPath(digest) }),
      };
      const recheck = verify || step.kind === 'copy';
      const { id } = await publishForeign(context, other, foreign, { recheck });
      if (step.kind === 'copy') await other.note(id, { verified: new Date(), damage: null });
      if (!snapshot.places.includes(path))
        await writer.note(snapshot.id, { places: [...snapshot.places, path] });
      outcomes.push(outcomeOf(step, step.kind === 'copy' ? 'done' : 'kept', step.because));
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof AixclError) || error.code !== 'verification') throw error;
      failures.push(error);
      outcomes.push(outcomeOf(step, 'failed', reasonOf(error)));
    }
  }
  return { outcomes, failures };
}

/** Counts a blob that several snapshots have once. */
async function assertRoom(plan: readonly SyncStep[], there: Vault): Promise<void> {
  const present = await there.blobs();
  const missing = new Map(
    plan
      .filter(({ kind }) => kind === 'copy')
      .flatMap(({ snapshot }) => snapshot.files)
      .filter(({ digest }) => !present.has(digest))
      .map(({ digest, size }) => [digest, size]),
  );
  const needed = [...missing.values()].reduce((sum, size) => sum + size, 0);
  const { free } = await there.space();
  if (needed <= free) return;
  throw new AixclError(
    'noSpace',
    `${bytes(needed)} are needed on the disk of ${there.path}, which has ${bytes(free)} free; nothing was copied`,
    { hint: `df -h ${shellWord(there.path)}` },
  );
}

function mended({ name, because }: MendStep, outcome: 'done' | 'planned'): StepOutcome {
  return { kind: 'mend', target: name, outcome, because };
}

/** Of a record that only the second vault had. */
function left({ name, why }: BrokenRecord): StepOutcome {
  return { kind: 'mend', target: name, outcome: 'failed', because: `${why}; this vault does not have it` };
}

function planned(step: SyncStep): StepOutcome {
  const outcome = { copy: 'planned', check: 'kept', skip: 'skipped' } as const;
  return outcomeOf(step, outcome[step.kind], step.because);
}

function outcomeOf({ snapshot }: SyncStep, outcome: StepOutcome['outcome'], because: string): StepOutcome {
  return { kind: 'sync', target: `${snapshot.id} (${snapshot.subject.name})`, outcome, because };
}

const words = { done: 'copied', planned: 'would copy', kept: 'kept', failed: 'failed', skipped: 'skipped' };
const mendWords = { ...words, done: 'mended', planned: 'would mend', failed: 'not mended' };

function report(context: Context, steps: readonly StepOutcome[], failures: readonly AixclError[]): void {
  const lines = steps.map(({ kind, outcome, target, because }) => {
    const word = (kind === 'mend' ? mendWords : words)[outcome];
    return `${word} ${target}: ${because}`;
  });
  if (lines.length === 0) lines.push('this vault holds nothing yet');
  const changed = steps.some(({ outcome }) => outcome === 'done');
  context.out.result({ command, changed, steps }, lines.join('\n'));
  const [first] = failures;
  if (first) throw first;
}
