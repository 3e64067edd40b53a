import { realpath } from 'node:fs/promises';
import type { Arguments } from 'yargs';
import { shownSubject } from '../../../models/find-kept.ts';
import { quoted } from '../../../models/model-name.ts';
import { findNamed, isPath } from '../../../models/named-subject.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import { recordsUnreadable } from '../../../wiring/readable-vault.ts';
import { type BackupObject, describeBackup } from '../../../wiring/snapshots/describe-backup.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import type { Column, Context, Paint } from '../../context.ts';
import { oneLine } from '../../output/plain.ts';
import { ago, bytes } from '../../output/quantity.ts';

/** `backups list`: from the vault's records alone. Records that can't be read are told when the others are shown. */
export async function list(context: Context, argv: Arguments): Promise<void> {
  const vault = vaultOf(context);
  const { snapshots, broken } = await vault.contents();
  const backups = snapshots.filter(({ kind }) => kind === 'backup');
  const model = argv.model === undefined ? undefined : String(argv.model);
  const named = model === undefined ? backups : await namedBy(model, backups);
  const shown = named.filter(({ backupType }) => argv.type === undefined || backupType === argv.type);
  await context.out.list('backup', shown.map(describeBackup), columns(context.out.paint));
  for (const { name, why } of broken) {
    context.out.warn(`the record ${name} can't be read: ${why}; nothing is deleted from the vault meanwhile`);
  }
  for (const { id, damage } of shown) if (damage !== null) context.out.warn(`${id} is damaged: ${damage}`);
  if (broken.length > 0) throw recordsUnreadable(vault, broken);
  if (backups.length === 0)
    context.out.note(`No backups in ${vault.path} yet. Make them: aixcl backups create`);
  else if (model !== undefined && named.length === 0) {
    context.out.note(`There is no backup of ${quoted(model)}. All there are: aixcl backups list`);
  } else if (shown.length === 0) context.out.note(`There is no such backup of type ${argv.type}.`);
}

/** A folder is saved under its path with all links followed. */
async function namedBy(text: string, backups: readonly Snapshot[]): Promise<Snapshot[]> {
  const named = findNamed(backups, text);
  if (named.length > 0 || !isPath(text)) return named;
  return findNamed(backups, await realpath(text).catch(() => text));
}

function columns(paint: Paint): Column<BackupObject>[] {
  const now = new Date();
  return [
    { title: 'Id', value: ({ id }) => id },
    { title: 'Model', value: ({ model: name, runtime }) => shownSubject({ runtime, name }) },
    { title: 'Type', value: ({ backupType }) => backupType ?? '-' },
    { title: 'Created', value: ({ created }) => ago(new Date(created), now) },
    { title: 'Size', value: ({ size }) => bytes(size), align: 'right' },
    { title: 'State', value: (row) => stateOf(row, paint) },
    { title: 'Reason', value: ({ reason }) => oneLine(reason) },
  ];
}

function stateOf({ verified, damage, places }: BackupObject, paint: Paint): string {
  const also = places.length > 0 ? `, in ${places.length + 1} places` : '';
  if (damage !== null) return paint.bad('damaged') + also;
  return (verified === null ? paint.warn('not hashed') : paint.good('verified')) + also;
}
