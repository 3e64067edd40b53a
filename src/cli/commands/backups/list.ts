import type { Arguments } from 'yargs';
import { findNamed } from '../../../models/named-subject.ts';
import type { Column, Context, Paint } from '../../context.ts';
import { ago, bytes } from '../../output/quantity.ts';
import { vaultOf } from '../wiring/vault.ts';
import { type BackupObject, describeBackup } from './describe.ts';

/** `backups list`: from the vault's records alone. */
export async function list(context: Context, argv: Arguments): Promise<void> {
  const vault = vaultOf(context);
  const { snapshots, broken } = await vault.contents();
  const backups = snapshots.filter(({ kind }) => kind === 'backup');
  const named = argv.model === undefined ? backups : findNamed(backups, String(argv.model));
  const shown = named.filter(({ backupType }) => argv.type === undefined || backupType === argv.type);
  await context.out.list('backup', shown.map(describeBackup), columns(context.out.paint));
  for (const { name, why } of broken) {
    context.out.warn(`the record ${name} can't be read: ${why}; nothing is deleted from the vault meanwhile`);
  }
  for (const { id, damage } of shown) if (damage !== null) context.out.warn(`${id} is damaged: ${damage}`);
  if (backups.length === 0)
    context.out.note(`No backups in ${vault.path} yet. Make them: aixcl backups create`);
}

function columns(paint: Paint): Column<BackupObject>[] {
  const now = new Date();
  return [
    { title: 'Id', value: ({ id }) => id },
    { title: 'Model', value: ({ model }) => model.replace(/\p{Cc}/gu, ' ') },
    { title: 'Type', value: ({ backupType }) => backupType ?? '-' },
    { title: 'Created', value: ({ created }) => ago(new Date(created), now) },
    { title: 'Size', value: ({ size }) => bytes(size), align: 'right' },
    { title: 'State', value: (row) => stateOf(row, paint) },
    { title: 'Reason', value: ({ reason }) => reason.replace(/\p{Cc}/gu, ' ') },
  ];
}

function stateOf({ verified, damage, places }: BackupObject, paint: Paint): string {
  const also = places.length > 0 ? `, in ${places.length + 1} places` : '';
  if (damage !== null) return paint.bad('damaged') + also;
  return (verified === null ? paint.warn('not hashed') : paint.good('verified')) + also;
}
