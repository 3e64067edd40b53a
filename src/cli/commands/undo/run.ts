import type { Arguments } from 'yargs';
import { AixclError } from '../../../errors.ts';
import { shownSubject } from '../../../models/find-kept.ts';
import { takings } from '../../../models/plan-restore.ts';
import { obstacleToRestore } from '../../../models/restore-obstacle.ts';
import { foundInVault } from '../../../vault/check-snapshot.ts';
import { sameContent } from '../../../vault/retention.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import type { Vault, VaultWriter } from '../../../vault/vault.ts';
import {
  type BringingBack,
  bringBack,
  observeRestore,
  plannedSteps,
  restoredStep,
  restoreText,
} from '../../../wiring/bring-back.ts';
import { settleFirst, type Work, withOperation } from '../../../wiring/operation.ts';
import { readableContents, recordsUnreadable } from '../../../wiring/readable-vault.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import type { Context } from '../../context.ts';
import { Outcomes } from '../../outcomes.ts';

const command = 'undo';

/**
 * `undo`: brings back all that the last removal, update or overwrite took. What can't be brought back is passed over, and said; where that is
 * all that a command took, the command before is taken back.
 */
export async function undo(context: Context, _argv: Arguments): Promise<void> {
  await settleFirst(context, command);
  const outcomes = new Outcomes(context.signal);
  const all = await observe(context, outcomes);
  const steps = all.flatMap((each) => each.steps);
  if (context.flags.dryRun) {
    for (const step of plannedSteps(steps)) outcomes.add(step);
    return report(context, outcomes, restoreText(steps));
  }
  const overwrites = all.filter(({ observed }) => observed.standing.kind === 'other');
  if (overwrites.length > 0) {
    context.out.note(restoreText(steps));
    const names = overwrites.map(({ observed }) => shownSubject(observed.target)).join(', ');
    await context.confirm(`Put back what was there before, in the place of ${names}?`);
  }
  const lines: string[] = [];
  if (all.length > 0) {
    const targets = all.map(({ observed }) => observed.target.name);
    await withOperation(context, { command, targets }, async (work) => {
      for (const each of all) await takeBack(context, each, work, outcomes, lines);
      outcomes.tell(work);
    });
  }
  report(context, outcomes, lines.join('\n'));
}

/** What is to be brought back. Throws `notFound` when nothing was taken, `verification` when nothing of it can be brought back. */
async function observe(context: Context, outcomes: Outcomes): Promise<BringingBack[]> {
  const vault = vaultOf(context);
  const { snapshots, broken } = await readableContents(vault);
  for (const { name, why } of broken)
    context.out.warn(`the record ${name} can't be read, and is passed over: ${why}`);
  const passed: Passed[] = [];
  for (const taken of takings(snapshots)) {
    const all: BringingBack[] = [];
    let failed = false;
    for (const snapshot of taken) {
      const { subject } = snapshot;
      const why = await obstacle(snapshot, vault);
      if (why !== null) {
        passed.push({ snapshot, why });
        continue;
      }
      try {
        all.push(await observeRestore(context, snapshot, subject));
      } catch (error) {
        outcomes.fail('restore', subject.name, error);
        failed = true;
      }
    }
    if (all.length === 0 && !failed) continue;
    for (const each of passed) {
      context.out.warn(passedText(each));
      const { snapshot } = each;
      const because = passedText(each);
      outcomes.add({ kind: 'keep', target: snapshot.subject.name, outcome: 'kept', because });
    }
    return all;
  }
  if (passed.length === 0 && broken.length > 0) throw recordsUnreadable(vault, broken);
  throw nothingLeft(passed);
}

interface Passed {
  readonly snapshot: Snapshot;
  readonly why: string;
}

/** What a verification noted counts here: an undo that is sure to fail would keep those before it from being taken back. */
async function obstacle(snapshot: Snapshot, vault: Vault): Promise<string | null> {
  const why = await obstacleToRestore(snapshot, snapshot.subject, vault);
  return why ?? (snapshot.damage?.startsWith(foundInVault) ? snapshot.damage : null);
}

function passedText({ snapshot: { id, subject }, why }: Passed): string {
  const files = `its files as they are: aixcl backups restore ${id} --to DIR`;
  return `${id} of ${shownSubject(subject)} is passed over, as it can't be brought back: ${why}; ${files}`;
}

function nothingLeft(passed: readonly Passed[]): AixclError {
  const [first] = passed;
  if (first) {
    return new AixclError('verification', 'nothing of what was taken away can be brought back', {
      evidence: passed.map(passedText),
      hint: `aixcl backups list --model ${first.snapshot.subject.name}`,
    });
  }
  const what = 'there is nothing to take back: nothing was removed, updated or overwritten';
  return new AixclError('notFound', what, { hint: 'aixcl backups list' });
}

async function takeBack(
  context: Context,
  what: BringingBack,
  work: Work,
  outcomes: Outcomes,
  lines: string[],
): Promise<void> {
  const { snapshot, target, standing } = what.observed;
  try {
    if (standing.kind === 'same') {
      for (const step of plannedSteps(what.steps)) outcomes.add(step);
      lines.push(restoreText(what.steps));
    } else {
      const before = await bringBack(context, what, work);
      outcomes.add(restoredStep(what.observed, before));
      lines.push(`brought back ${shownSubject(target)} from ${snapshot.id}`);
      if (before) lines.push(`  what stood there is ${before.id}; to have that back: aixcl undo`);
    }
    await noteUndone(snapshot, work.writer);
  } catch (error) {
    outcomes.fail('restore', target.name, error);
  }
}

/** With it those of the same content that a killed command left behind, which would be taken back next. */
async function noteUndone(snapshot: Snapshot, writer: VaultWriter): Promise<void> {
  const { snapshots } = await writer.vault.contents();
  const undone = new Date();
  for (const each of snapshots) {
    const taken = each.facts.taken === true && each.backupType === snapshot.backupType;
    const twin = each.undone === null && taken && sameContent(each, snapshot);
    if (each.id === snapshot.id || twin) await writer.note(each.id, { undone });
  }
}

function report(context: Context, outcomes: Outcomes, text: string): void {
  if (!outcomes.onlyFailed) {
    const failed = outcomes.steps.filter(({ outcome }) => outcome === 'failed');
    const lines = failed.map(({ target, because }) => context.out.paint.bad(`failed ${target}: ${because}`));
    const { steps, changed } = outcomes;
    context.out.result({ command, changed, steps }, [...(text ? [text] : []), ...lines].join('\n'));
  }
  outcomes.end('could not be brought back');
}
