import { resolve } from 'node:path';
import type { Arguments } from 'yargs';
import { AixclError } from '../../../errors.ts';
import { shownSubject } from '../../../models/find-kept.ts';
import { quoted } from '../../../models/model-name.ts';
import { shellWord } from '../../../shell-word.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import { type Subject, sameSubject } from '../../../vault/subject.ts';
import { settleFirst, withOperation } from '../../../wiring/operation.ts';
import { readableContents } from '../../../wiring/readable-vault.ts';
import {
  type BringingBack,
  observeRestore,
  plannedSteps,
  restoredStep,
  restoreText,
} from '../../../wiring/snapshots/bring-back.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import type { Context } from '../../context.ts';
import { chooseBackups } from './choose.ts';

const command = 'backups restore';

/** `backups restore ID [--to DIR | --as NAME]`. */
export async function restore(context: Context, argv: Arguments): Promise<void> {
  await settleFirst(context, command);
  const contents = await readableContents(vaultOf(context));
  const [snapshot] = chooseBackups(contents, [String(argv.id)]);
  if (!snapshot) throw new Error('one id means one backup');
  await restoreTo(context, command, snapshot, targetOf(command, snapshot, argv));
}

/** Puts a snapshot in place of what stands under `target`, which is saved first and asked about. */
export async function restoreTo(
  context: Context,
  command: string,
  snapshot: Snapshot,
  target: Subject,
): Promise<void> {
  const what = await observeRestore(context, snapshot, target);
  const { kind } = what.observed.standing;
  const shown = restoreText(what.steps);
  refuseStranger(what);
  if (context.flags.dryRun || kind === 'same') {
    context.out.result({ command, changed: false, steps: plannedSteps(what.steps) }, shown);
    return;
  }
  if (kind === 'other') {
    context.out.note(shown);
    await context.confirm(`Put ${snapshot.id} in the place of ${shownSubject(target)}?`);
  }
  const targets = [snapshot.id, target.name];
  const brought = await withOperation(context, { command, targets }, (work) => what.bring(work));
  const { as, before } = brought;
  const lines = [`restored ${as} from ${snapshot.id}`];
  if (before) lines.push(`what stood there is ${before.id}; to have that back: aixcl undo`);
  const steps = [restoredStep(what.observed, brought)];
  context.out.result({ command, changed: true, steps }, lines.join('\n'));
}

/** A folder that is not where the snapshot came from and holds other things is not swept together into a backup. */
function refuseStranger({ observed: { standing, target, snapshot } }: BringingBack): void {
  if (target.runtime !== 'directory' || standing.kind !== 'other' || sameSubject(target, snapshot.subject))
    return;
  throw new AixclError(
    'refused',
    `${quoted(target.name)} is not empty, and ${snapshot.id} did not come from there`,
    {
      hint: 'Name a new folder, or an empty one: --to DIR',
    },
  );
}

/** Where the files of a snapshot are to go: `--to`, `--as`, or where they lived. `command`: as the user types it. */
export function targetOf(command: string, { subject, id }: Snapshot, argv: Arguments): Subject {
  const [to, as] = [text(argv.to), text(argv.as)];
  if (to !== undefined && as !== undefined) {
    throw new AixclError(
      'usage',
      '--to is a folder for its files, --as another name for its model: one of them',
      {
        hint: `aixcl ${command} --help`,
      },
    );
  }
  if (to === '' || as === '') {
    throw new AixclError('usage', `--${to === '' ? 'to' : 'as'} is empty`, {
      hint: `aixcl ${command} --help`,
    });
  }
  if (to !== undefined) return { runtime: 'directory', name: resolve(to) };
  if (as === undefined) return subject;
  if (subject.runtime === 'directory') {
    throw new AixclError(
      'usage',
      `${id} is of what lies in a folder of yours, which has a place and no name`,
      {
        hint: `aixcl ${command} ${shellWord(id)} --to DIR`,
      },
    );
  }
  return { runtime: subject.runtime, name: as };
}

function text(value: unknown): string | undefined {
  const last: unknown = Array.isArray(value) ? value.at(-1) : value;
  return typeof last === 'string' ? last : undefined;
}
