import type { Arguments } from 'yargs';
import { AixclError } from '../../../errors.ts';
import { shellWord } from '../../../shell-word.ts';
import { heldUntil } from '../../../vault/retention.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import { sameSubject } from '../../../vault/subject.ts';
import { versionName } from '../../../vault/version-id.ts';
import { withOperation } from '../../../wiring/operation.ts';
import { readableContents } from '../../../wiring/readable-vault.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import type { Context } from '../../context.ts';
import { bytes } from '../../output/quantity.ts';
import { versionNamed } from './choose.ts';

const command = 'versions delete';

/** `versions delete MODEL@v003`: it becomes a `deleted_version` backup. */
export async function remove(context: Context, argv: Arguments): Promise<void> {
  const contents = await readableContents(vaultOf(context));
  const version = await versionNamed(contents, String(argv['model-version']));
  const because = whatBecomes(version, contents.snapshots);
  const line = `delete ${version.id}: ${because}`;
  if (context.flags.dryRun) {
    const steps = [{ kind: 'delete', target: version.id, outcome: 'planned' as const, because }];
    context.out.result({ command, changed: false, steps }, line);
    return;
  }
  context.out.note(line);
  await context.confirm(`Delete ${version.id}?`);
  const wish = { command, targets: [version.id] };
  const backup = await withOperation(context, wish, async ({ vault, writer, operation }) => {
    const now = await vault.contents();
    const still = now.snapshots.find(({ id }) => id === version.id);
    if (still?.digest !== version.digest) {
      throw new AixclError('refused', `${version.id} changed while the question was open`, {
        hint: 'aixcl versions list',
      });
    }
    await operation.step('delete', version.id, 'kept as a backup');
    return await writer.retire(version.id, {
      created: new Date(),
      reason: `${version.id} was deleted`,
      operation: operation.id,
    });
  });
  report(context, version, backup);
}

function whatBecomes({ id, size, subject }: Snapshot, snapshots: readonly Snapshot[]): string {
  const left = snapshots
    .filter((each) => each.kind === 'version' && each.id !== id && sameSubject(each.subject, subject))
    .map(({ number }) => number);
  const latest =
    left.length > 0
      ? `the latest is then ${versionName(Math.max(...left))}`
      : 'no version of it is left then';
  return `its ${bytes(size)} stay as a backup, until ${heldUntil(new Date())} at the least; ${latest}`;
}

function report(context: Context, version: Snapshot, backup: Snapshot): void {
  const because = `kept as ${backup.id} until ${heldUntil(backup.created)} at the least`;
  const step = {
    kind: 'delete',
    target: version.id,
    outcome: 'done' as const,
    because,
    backup: backup.id,
  };
  const lines = [
    `deleted ${version.id}: ${because}`,
    `  to have it back: aixcl undo, or later aixcl backups restore ${backup.id}`,
    `  to free the space: aixcl backups delete ${backup.id} --confirm ${shellWord(version.subject.name)}`,
  ];
  context.out.result({ command, changed: true, steps: [step] }, lines.join('\n'));
}
