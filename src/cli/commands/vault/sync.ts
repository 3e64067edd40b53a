import type { Arguments } from 'yargs';
import { claimNumbersOf } from '../../../adapters/vault-archive/claim-numbers.ts';
import { AixclError, reasonOf } from '../../../errors.ts';
import type { StepOutcome } from '../../../plan/step.ts';
import { planSync, type SyncStep } from '../../../vault/plan-sync.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import type { Vault, VaultWriter } from '../../../vault/vault.ts';
import type { Context } from '../../context.ts';
import { bytes } from '../../output/quantity.ts';
import { withOperation } from '../wiring/operation.ts';
import { secondVaultOf, vaultOf } from '../wiring/vault.ts';
import { publishForeign } from './publish-foreign.ts';
import { consentToPlace, observePlace } from './second-place.ts';

const command = 'vault sync';

interface SyncOptions {
  /** Re-hash there what is there already. */
  readonly verify: boolean;
  /** Begin anew where a vault was before. */
  readonly anew: boolean;
}

/** `vault sync DIR`: what this vault has and the one in DIR has not is copied there, read again there, and noted here. Deletes nothing. */
export async function sync(context: Context, argv: Arguments): Promise<void> {
  const options: SyncOptions = { verify: argv.verify === true, anew: argv.new === true };
  const here = vaultOf(context);
  const place = await observePlace(here, String(argv.folder));
  const there = secondVaultOf(context, place.path);
  const own = await readable(here);
  await consentToPlace(context, place, own, options.anew);
  const plan = planSync(own, await readable(there));
  await assertRoom(plan, there);
  if (context.flags.dryRun) return report(context, plan.map(planned), []);
  const targets = [place.path];
  const { outcomes, failures } = await withOperation(context, { command, targets }, async (turn) => {
    await using other = await there.open({
      holder: `aixcl ${command}`,
      operation: turn.operation.id,
      patience: context.flags.waitLock,
      signal: context.signal,
    });
    // Read again, now that nobody else writes.
    const steps = planSync(await readable(here), await readable(there));
    await turn.operation.step('sync', place.path, `${steps.length} snapshots of ${here.path}`);
    const done = await bringOver(context, here, turn.writer, other, steps, place.path, options);
    await claimNumbersOf(here, there, await readable(here));
    return done;
  });
  report(context, outcomes, failures);
}

async function readable(vault: Vault): Promise<readonly Snapshot[]> {
  const { snapshots, broken } = await vault.contents();
  const [first] = broken;
  if (!first) return snapshots;
  throw new AixclError(
    'verification',
    `the record ${first.name} of ${vault.path} can't be read: ${first.why}`,
    {
      hint: 'Nothing was copied. docs/recovery.md says how a record comes back.',
    },
  );
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
    { hint: `df -h ${there.path}` },
  );
}

function planned(step: SyncStep): StepOutcome {
  const outcome = { copy: 'planned', check: 'kept', skip: 'skipped' } as const;
  return outcomeOf(step, outcome[step.kind], step.because);
}

function outcomeOf({ snapshot }: SyncStep, outcome: StepOutcome['outcome'], because: string): StepOutcome {
  return { kind: 'sync', target: `${snapshot.id} (${snapshot.subject.name})`, outcome, because };
}

const words = { done: 'copied', planned: 'would copy', kept: 'kept', failed: 'failed', skipped: 'skipped' };

function report(context: Context, steps: readonly StepOutcome[], failures: readonly AixclError[]): void {
  const lines = steps.map(({ outcome, target, because }) => `${words[outcome]} ${target}: ${because}`);
  if (lines.length === 0) lines.push('this vault holds nothing yet');
  const changed = steps.some(({ outcome }) => outcome === 'done');
  context.out.result({ command, changed, steps }, lines.join('\n'));
  const [first] = failures;
  if (first) throw first;
}
