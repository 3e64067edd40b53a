import { abandonedHelpers } from '../../../adapters/abandoned-helpers.ts';
import { Unreadable, uploadFolders } from '../../../adapters/models-directory/upload-folder.ts';
import { isRunning } from '../../../adapters/process-identity.ts';
import type { LeftoversExamined, UploadLeft } from '../../../doctor/examined.ts';
import { openOperations } from '../../../plan/operations.ts';
import { journalOf } from '../../../wiring/journal.ts';
import { keeperOf } from '../../../wiring/keepers.ts';
import type { Context } from '../../context.ts';
import { ifKnown } from './examination.ts';
import type { Surroundings } from './surroundings.ts';

export async function lookAtLeftovers(around: Surroundings): Promise<LeftoversExamined> {
  const { context } = around;
  const [helpers, unfinishedNames, interrupted, uploads] = await Promise.all([
    helpersLeft(around),
    hasUnfinishedNames(context),
    lastInterrupted(context),
    uploadsLeft(context),
  ]);
  return { helpers, unfinishedNames, interrupted, uploads };
}

/** One that makes no sense is shown by the page alone. */
async function uploadsLeft({ home }: Context): Promise<UploadLeft[]> {
  const found = await Promise.all(
    (await uploadFolders(home.models)).map((folder) =>
      folder.look().catch((error: unknown) => {
        if (error instanceof Unreadable) return undefined;
        throw error;
      }),
    ),
  );
  return found.flatMap((upload) => {
    if (!upload) return [];
    return { file: upload.about.file, bytes: upload.received, touched: new Date(upload.touched) };
  });
}

/** Without an engine there are none that could be seen. */
async function helpersLeft({ context, containers }: Surroundings): Promise<string[]> {
  const there = (await ifKnown(containers())) ?? [];
  return (await abandonedHelpers(there, context.home.root)).map(({ name }) => name);
}

async function hasUnfinishedNames(context: Context): Promise<boolean> {
  const keepers = await Promise.all(
    (['llama-server', 'directory'] as const).map((runtime) => keeperOf(context, runtime)),
  );
  return (await Promise.all(keepers.map(async (keeper) => (await keeper.unfinished?.()) ?? false))).includes(
    true,
  );
}

/** The journal's last operation, where it was killed; one that came after it has settled what it left, or tells of it. */
async function lastInterrupted(context: Context): Promise<LeftoversExamined['interrupted']> {
  const { entries } = await journalOf(context).read();
  const last = entries.at(-1)?.operation;
  const open = openOperations(entries).find(({ operation }) => operation === last);
  if (!open || (await isRunning(open)) !== false) return null;
  return { operation: open.operation, command: open.command, began: new Date(open.time) };
}
