import { AixclError } from '../../../errors.ts';
import { findNamed } from '../../../models/named-subject.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';

/** The backups with these ids, each once. Throws `notFound` with what was probably meant; a model's name is no id. */
export function chooseBackups(snapshots: readonly Snapshot[], ids: readonly string[]): Snapshot[] {
  const backups = snapshots.filter(({ kind }) => kind === 'backup');
  return [...new Set(ids.map((id) => one(backups, id)))];
}

function one(backups: readonly Snapshot[], id: string): Snapshot {
  const found = backups.find((each) => each.id === id);
  if (found) return found;
  const [newest] = findNamed(backups, id);
  throw new AixclError('notFound', `there is no backup ${JSON.stringify(id)}`, {
    hint: newest ? `aixcl backups list --model ${id}   (its newest is ${newest.id})` : 'aixcl backups list',
  });
}
