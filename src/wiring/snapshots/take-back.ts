import { AixclError } from '../../errors.ts';
import { shownSubject } from '../../models/find-kept.ts';
import { takings } from '../../models/plan-restore.ts';
import { obstacleToRestore } from '../../models/restore-obstacle.ts';
import { shellWord } from '../../shell-word.ts';
import { foundInVault } from '../../vault/check-snapshot.ts';
import { sameContent } from '../../vault/retention.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { Vault, VaultWriter } from '../../vault/vault.ts';
import type { Work } from '../operation.ts';
import type { BringingBack, Brought } from './bring-back.ts';

/** What the last command took of which something can be brought back. */
export interface LastTaken {
  /** Of one command. Empty: nothing can be brought back. */
  readonly taken: readonly Snapshot[];
  /** Of this command and of those after it. */
  readonly passed: readonly Passed[];
}

/** Taken away, and not to be brought back. */
export interface Passed {
  readonly snapshot: Snapshot;
  readonly why: string;
}

/** Chooses what `undo` takes back: all that can be brought back of the last command of which anything can. */
export async function lastTaken(
  snapshots: readonly Snapshot[],
  vault: Pick<Vault, 'blobs' | 'openBlob'>,
): Promise<LastTaken> {
  const passed: Passed[] = [];
  for (const ofCommand of takings(snapshots)) {
    const taken: Snapshot[] = [];
    for (const snapshot of ofCommand) {
      const why = await obstacle(snapshot, vault);
      if (why === null) taken.push(snapshot);
      else passed.push({ snapshot, why });
    }
    if (taken.length > 0) return { taken, passed };
  }
  return { taken: [], passed };
}

/** What a verification noted counts here: an undo that is sure to fail would keep those before it from being taken back. */
async function obstacle(
  snapshot: Snapshot,
  vault: Pick<Vault, 'blobs' | 'openBlob'>,
): Promise<string | null> {
  const why = await obstacleToRestore(snapshot, snapshot.subject, vault);
  return why ?? (snapshot.damage?.startsWith(foundInVault) ? snapshot.damage : null);
}

export function passedText({ snapshot: { id, subject }, why }: Passed): string {
  const files = `its files as they are: aixcl backups restore ${id} --to DIR`;
  return `${id} of ${shownSubject(subject)} is passed over, as it can't be brought back: ${why}; ${files}`;
}

export function nothingToTakeBack(passed: readonly Passed[]): AixclError {
  const [first] = passed;
  if (first) {
    return new AixclError('verification', 'nothing of what was taken away can be brought back', {
      evidence: passed.map(passedText),
      hint: `aixcl backups list --model ${shellWord(first.snapshot.subject.name)}`,
    });
  }
  const what = 'there is nothing to take back: nothing was removed, updated or overwritten';
  return new AixclError('notFound', what, { hint: 'aixcl backups list' });
}

/** Brings it back where it does not stand there already, and notes that. Under the vault's lock. */
export async function takeBack(what: BringingBack, work: Work): Promise<Brought> {
  const { snapshot, target, standing } = what.observed;
  const brought =
    standing.kind === 'same'
      ? { target: target.name, as: shownSubject(target), before: null }
      : await what.bring(work);
  await noteUndone(snapshot, work.writer);
  return brought;
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
