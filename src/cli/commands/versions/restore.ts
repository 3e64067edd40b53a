import type { Arguments } from 'yargs';
import { settleFirst } from '../../../wiring/operation.ts';
import { readableContents } from '../../../wiring/readable-vault.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import type { Context } from '../../context.ts';
import { restoreTo, targetOf } from '../backups/restore.ts';
import { versionNamed } from './choose.ts';

const command = 'versions restore';

/** `versions restore MODEL@v001 [--to DIR | --as NAME]`. */
export async function restore(context: Context, argv: Arguments): Promise<void> {
  await settleFirst(context, command);
  const contents = await readableContents(vaultOf(context));
  const snapshot = await versionNamed(contents, String(argv['model-version']));
  await restoreTo(context, command, snapshot, targetOf(command, snapshot, argv));
}
