import { AixclError } from '../../errors.ts';
import { chooseSnapshots } from '../../vault/choose-snapshots.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import { settleFirst, withOperation } from '../../wiring/operation.ts';
import { readableContents } from '../../wiring/readable-vault.ts';
import { observeRestore, restoreText } from '../../wiring/snapshots/bring-back.ts';
import type { Surroundings } from '../../wiring/surroundings.ts';
import { vaultOf } from '../../wiring/vault.ts';
import type { Restoration } from '../api.ts';
import type { JobEnd } from '../jobs.ts';
import { notOfThePage, restoreCommand } from './snapshots.ts';

/** The snapshot of this id. Throws `notFound`; `verification` where its record can't be read. */
export async function snapshotOf(context: Surroundings, id: string): Promise<Snapshot> {
  const contents = await readableContents(vaultOf(context));
  const [snapshot] = chooseSnapshots(contents, [{ text: id, means: () => false }]);
  if (!snapshot) throw new Error('one id means one snapshot');
  return snapshot;
}

/** As `snapshotOf`; `refused` for what the page does not restore. */
export async function restorable(context: Surroundings, id: string): Promise<Snapshot> {
  const snapshot = await snapshotOf(context, id);
  const elsewhere = notOfThePage[snapshot.subject.runtime];
  if (elsewhere === null) return snapshot;
  throw new AixclError('refused', `${snapshot.id} stays in the vault: ${elsewhere}`, {
    hint: restoreCommand(snapshot),
  });
}

/** What restoring it would do. Nothing is changed. */
export async function observeRestoration(context: Surroundings, id: string): Promise<Restoration> {
  const snapshot = await restorable(context, id);
  const dry = { ...context, flags: { ...context.flags, dryRun: true } };
  const { observed, steps } = await observeRestore(dry, snapshot, snapshot.subject);
  const { kind } = observed.standing;
  return {
    backup: snapshot.id,
    model: snapshot.subject.name,
    standing: kind === 'nothing' ? 'none' : kind,
    steps: restoreText(steps).split('\n'),
  };
}

/** `backups restore`, or `versions restore`: what stands there is saved first. */
export async function restoreSnapshot(context: Surroundings, id: string): Promise<JobEnd> {
  const { kind } = await restorable(context, id);
  const command = `${kind === 'version' ? 'versions' : 'backups'} restore (page)`;
  await settleFirst(context, command);
  const snapshot = await restorable(context, id);
  const { subject } = snapshot;
  const what = await observeRestore(context, snapshot, subject);
  if (what.observed.standing.kind === 'same') return { detail: restoreText(what.steps) };
  const targets = [id, subject.name];
  const { as, before } = await withOperation(context, { command, targets }, (work) => what.bring(work));
  return broughtBack(`restored ${as} from ${id}`, before);
}

/** `before`: the backup of what stood there. */
export function broughtBack(detail: string, before: Snapshot | null): JobEnd {
  return before ? { detail: `${detail}; what stood there is ${before.id}`, backup: before.id } : { detail };
}
