import type { Arguments } from 'yargs';
import { shownSubject } from '../../../models/find-kept.ts';
import { settleFirst, type Work, withOperation } from '../../../wiring/operation.ts';
import { readableContents, recordsUnreadable } from '../../../wiring/readable-vault.ts';
import {
  type BringingBack,
  observeRestore,
  plannedSteps,
  restoredStep,
  restoreText,
} from '../../../wiring/snapshots/bring-back.ts';
import { lastTaken, nothingToTakeBack, passedText, takeBack } from '../../../wiring/snapshots/take-back.ts';
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
      for (const each of all) await takeBackShown(each, work, outcomes, lines);
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
  const { taken, passed } = await lastTaken(snapshots, vault);
  if (taken.length === 0) {
    if (passed.length === 0 && broken.length > 0) throw recordsUnreadable(vault, broken);
    throw nothingToTakeBack(passed);
  }
  const all: BringingBack[] = [];
  for (const snapshot of taken) {
    const { subject } = snapshot;
    try {
      all.push(await observeRestore(context, snapshot, subject));
    } catch (error) {
      outcomes.fail('restore', subject.name, error);
    }
  }
  for (const each of passed) {
    const because = passedText(each);
    context.out.warn(because);
    outcomes.add({ kind: 'keep', target: each.snapshot.subject.name, outcome: 'kept', because });
  }
  return all;
}

async function takeBackShown(
  what: BringingBack,
  work: Work,
  outcomes: Outcomes,
  lines: string[],
): Promise<void> {
  const { snapshot, target, standing } = what.observed;
  try {
    const brought = await takeBack(what, work);
    const { before } = brought;
    if (standing.kind === 'same') {
      for (const step of plannedSteps(what.steps)) outcomes.add(step);
      lines.push(restoreText(what.steps));
    } else {
      outcomes.add(restoredStep(what.observed, brought));
      lines.push(`brought back ${brought.as} from ${snapshot.id}`);
      if (before) lines.push(`  what stood there is ${before.id}; to have that back: aixcl undo`);
    }
  } catch (error) {
    outcomes.fail('restore', target.name, error);
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
