import { AixclError } from '../../errors.ts';
import { withOperation } from '../../wiring/operation.ts';
import { mendingHint, verifySnapshot } from '../../wiring/snapshots/verify-snapshot.ts';
import type { Surroundings } from '../../wiring/surroundings.ts';
import type { JobEnd } from '../jobs.ts';
import { snapshotOf } from './restore.ts';

/** `backups verify` of one snapshot. Throws `verification` when it is damaged. */
export async function verify(context: Surroundings, id: string): Promise<JobEnd> {
  const snapshot = await snapshotOf(context, id);
  const { name } = snapshot.subject;
  const wish = { command: 'backups verify (page)', targets: [id] };
  const { damage, mendable } = await withOperation(context, wish, async (work) => {
    const verdict = await verifySnapshot(context, snapshot, work);
    if (verdict.damage !== null) work.failed('failed', id);
    return verdict;
  });
  if (damage === null) return { detail: `every byte of ${name} is right` };
  throw new AixclError('verification', `${id} of ${name} is damaged: ${damage}`, {
    hint: mendingHint(mendable),
  });
}
