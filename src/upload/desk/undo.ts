import { AixclError } from '../../errors.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import { settleFirst, withOperation } from '../../wiring/operation.ts';
import { readableContents, recordsUnreadable } from '../../wiring/readable-vault.ts';
import { observeRestore } from '../../wiring/snapshots/bring-back.ts';
import { lastTaken, nothingToTakeBack, takeBack } from '../../wiring/snapshots/take-back.ts';
import type { Surroundings } from '../../wiring/surroundings.ts';
import { vaultOf } from '../../wiring/vault.ts';
import type { JobEnd } from '../jobs.ts';
import { broughtBack } from './restore.ts';
import { notOfThePage } from './snapshots.ts';

const command = 'undo (page)';

/** What `undo` takes back. Throws `notFound` when nothing was taken, `refused` where the command line alone can bring back what was. */
async function toUndo(context: Surroundings): Promise<Snapshot> {
  const vault = vaultOf(context);
  const { snapshots, broken } = await readableContents(vault);
  const { taken, passed } = await lastTaken(snapshots, vault);
  const [only, ...more] = taken;
  if (!only) {
    if (passed.length === 0 && broken.length > 0) throw recordsUnreadable(vault, broken);
    throw nothingToTakeBack(passed);
  }
  const elsewhere = notOfThePage[only.subject.runtime];
  const why = more.length > 0 ? `the last command took ${taken.length} models` : elsewhere;
  if (why === null) return only;
  throw new AixclError('refused', `the page does not take it back: ${why}`, { hint: 'aixcl undo' });
}

/** The backup `id`, which `undo` would take back now; throws `refused` where another removal came since. */
export async function lastOf(context: Surroundings, id: string): Promise<Snapshot> {
  const snapshot = await toUndo(context);
  if (snapshot.id === id) return snapshot;
  throw notTheLast(id, snapshot);
}

/** `undo` of one GGUF model; what stands there is saved first. */
export async function undo(context: Surroundings, asked: string): Promise<JobEnd> {
  await settleFirst(context, command);
  const snapshot = await lastOf(context, asked);
  const { id, subject } = snapshot;
  const what = await observeRestore(context, snapshot, subject);
  const wish = { command, targets: [subject.name] };
  const { as, before } = await withOperation(context, wish, (work) => takeBack(what, work));
  return broughtBack(`brought back ${as} from ${id}`, before);
}

function notTheLast(asked: string, { id, subject }: Snapshot): AixclError {
  return new AixclError(
    'refused',
    `${asked} is not what was taken last (any more): undo would bring back ${subject.name} from ${id}`,
    { hint: `To bring it back all the same, restore ${asked}.` },
  );
}
