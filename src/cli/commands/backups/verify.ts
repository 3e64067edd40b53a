import type { Arguments } from 'yargs';
import { AixclError } from '../../../errors.ts';
import type { HashedBlobs } from '../../../vault/check-snapshot.ts';
import { withOperation } from '../../../wiring/operation.ts';
import { readableContents } from '../../../wiring/readable-vault.ts';
import { mendingHint, verifySnapshot } from '../../../wiring/snapshots/verify-snapshot.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import type { Context } from '../../context.ts';
import { Outcomes } from '../../outcomes.ts';
import { bytes } from '../../output/quantity.ts';
import { chooseBackups } from './choose.ts';

const command = 'backups verify';

/** `backups verify [ID…]`: re-hashes every byte, and notes what was found. One that was damaged when it was saved is damaged still. */
export async function verify(context: Context, argv: Arguments): Promise<void> {
  const ids = [argv.ids ?? []].flat().map(String);
  const { snapshots, broken } = await readableContents(vaultOf(context));
  const chosen =
    ids.length > 0
      ? chooseBackups({ snapshots, broken }, ids)
      : snapshots.filter(({ kind }) => kind === 'backup');
  const outcomes = new Outcomes(context.signal);
  let mendable = false;
  if (context.flags.dryRun) {
    for (const { id, size } of chosen)
      outcomes.add({ kind: 'verify', target: id, outcome: 'planned', because: `${bytes(size)} to hash` });
  } else if (chosen.length > 0) {
    await withOperation(context, { command, targets: chosen.map(({ id }) => id) }, async (work) => {
      const hashed: HashedBlobs = new Map();
      for (const snapshot of chosen) {
        const { id, subject } = snapshot;
        const found = await verifySnapshot(context, snapshot, work, hashed);
        const { damage } = found;
        if (found.mendable) mendable = true;
        outcomes.add({
          kind: 'verify',
          target: id,
          outcome: damage === null ? 'done' : 'failed',
          because: damage === null ? `every byte of ${subject.name} is right` : `${subject.name}: ${damage}`,
        });
      }
      const bad = outcomes.steps.filter(({ outcome }) => outcome === 'failed');
      if (bad.length > 0) work.failed('partly', bad.map(({ target }) => target).join(', '));
    });
  }
  report(context, outcomes, ids.length === 0 ? broken : [], mendable);
}

function report(
  context: Context,
  { steps }: Outcomes,
  broken: readonly { readonly name: string; readonly why: string }[],
  mendable: boolean,
): void {
  const { paint } = context.out;
  const lines = steps.map(({ target, outcome, because }) =>
    outcome === 'failed' ? paint.bad(`${target} damaged: ${because}`) : `${target} ${outcome}: ${because}`,
  );
  for (const { name, why } of broken) lines.push(paint.bad(`the record ${name} can't be read: ${why}`));
  context.out.result(
    { command, changed: false, steps },
    lines.join('\n') || 'there are no backups to verify',
  );
  const bad = steps.filter(({ outcome }) => outcome === 'failed').length + broken.length;
  if (bad === 0) return;
  throw new AixclError('verification', `${bad} of ${steps.length + broken.length} backups are damaged`, {
    hint:
      !mendable && broken.length > 0
        ? 'docs/recovery.md says how a record comes back'
        : mendingHint(mendable),
  });
}
