import type { Arguments } from 'yargs';
import { AixclError } from '../../../errors.ts';
import { shownSubject } from '../../../models/find-kept.ts';
import { lastTaken } from '../../../models/plan-restore.ts';
import { sameContent } from '../../../vault/retention.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import type { VaultWriter } from '../../../vault/vault.ts';
import type { Context } from '../../context.ts';
import { Outcomes } from '../../outcomes.ts';
import {
  type BringingBack,
  bringBack,
  observeRestore,
  plannedSteps,
  restoredStep,
  restoreText,
} from '../wiring/bring-back.ts';
import { settleFirst, type Work, withOperation } from '../wiring/operation.ts';
import { vaultOf } from '../wiring/vault.ts';

const command = 'undo';

/** `undo`: brings back all that the last removal, update or overwrite took. */
export async function undo(context: Context, _argv: Arguments): Promise<void> {
  await settleFirst(context, command);
  const { snapshots } = await vaultOf(context).contents();
  const taken = lastTaken(snapshots);
  if (taken.length === 0) {
    throw new AixclError(
      'notFound',
      'there is nothing to take back: nothing was removed, updated or overwritten',
      {
        hint: 'aixcl backups list',
      },
    );
  }
  const outcomes = new Outcomes(context.signal);
  const all: BringingBack[] = [];
  for (const snapshot of taken) {
    try {
      all.push(await observeRestore(context, snapshot, snapshot.subject));
    } catch (error) {
      outcomes.fail('restore', snapshot.subject.name, error);
    }
  }
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
    const twin =
      each.undone === null && each.backupType === snapshot.backupType && sameContent(each, snapshot);
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
