import { AixclError } from '../../../errors.ts';
import { findNamed } from '../../../models/named-subject.ts';
import { shellWord } from '../../../shell-word.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import type { VaultContents } from '../../../vault/vault.ts';
import { parseVersionId } from '../../../vault/version-id.ts';

/** The backups with these ids, each once. Throws `notFound` with what was probably meant, `verification` where its record can't be read; a model's name is no id. */
export function chooseBackups({ snapshots, broken }: VaultContents, ids: readonly string[]): Snapshot[] {
  const backups = snapshots.filter(({ kind }) => kind === 'backup');
  return [...new Set(ids.map((id) => one(backups, broken, id)))];
}

function one(backups: readonly Snapshot[], broken: VaultContents['broken'], id: string): Snapshot {
  const found = backups.find((each) => each.id === id);
  if (found) return found;
  const unreadable = broken.find(({ name }) => name === id);
  if (unreadable) {
    throw new AixclError('verification', `the record ${id} of the vault can't be read: ${unreadable.why}`, {
      hint: 'docs/recovery.md says how a record comes back',
    });
  }
  throw new AixclError('notFound', `there is no backup ${JSON.stringify(id)}`, { hint: meant(backups, id) });
}

function meant(backups: readonly Snapshot[], id: string): string {
  if (parseVersionId(id))
    return 'aixcl versions --help   (what is done to a version; aixcl vault verify hashes it)';
  const [newest] = findNamed(backups, id);
  return newest
    ? `aixcl backups list --model ${shellWord(id)}   (its newest is ${newest.id})`
    : 'aixcl backups list';
}
