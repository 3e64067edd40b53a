import type { Arguments } from 'yargs';
import { AixclError } from '../../../errors.ts';
import type { StepOutcome } from '../../../plan/step.ts';
import { foundInVault } from '../../../vault/check-snapshot.ts';
import type { Digest } from '../../../vault/digest.ts';
import type { Snapshot, SnapshotFile } from '../../../vault/snapshot.ts';
import type { Vault, VaultWriter } from '../../../vault/vault.ts';
import { type Work, withOperation } from '../../../wiring/operation.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import type { Context } from '../../context.ts';
import { type BlobToHash, hashBlobs } from './hash-blobs.ts';
import { underLock } from './look.ts';
import { repairBlobs } from './repair-blobs.ts';

const command = 'vault verify';

/** `vault verify [--repair]`: re-hashes every blob that is there or should be, and notes on each snapshot what was found. */
export async function verify(context: Context, argv: Arguments): Promise<void> {
  const vault = vaultOf(context);
  const repair = argv.repair === true && !context.flags.dryRun;
  const checked = context.flags.dryRun
    ? await underLock(context, vault, command, (writer) => check(context, vault, writer, undefined))
    : await withOperation(context, { command, targets: [] }, ({ writer, operation }) =>
        check(context, vault, writer, { operation, repair }),
      );
  const steps = [...checked.broken, ...checked.repaired, ...checked.snapshots, ...checked.strays];
  const right = checked.snapshots.filter(({ outcome }) => outcome === 'done');
  const lines = steps
    .filter((step) => !right.includes(step))
    .map(({ target, because, outcome }) =>
      outcome === 'failed' ? context.out.paint.bad(`${target}: ${because}`) : `${target}: ${because}`,
    );
  lines.push(`${right.length} of ${checked.snapshots.length} snapshots are right`);
  context.out.result({ command, changed: checked.repaired.length > 0, steps }, lines.join('\n'));
  const failed = steps.filter(({ outcome }) => outcome === 'failed');
  if (failed.length === 0) return;
  throw new AixclError(
    'verification',
    `${failed.length} thing${failed.length === 1 ? ' is' : 's are'} damaged in the vault`,
    {
      hint: checked.broken.length > 0 ? 'docs/recovery.md says how a record comes back' : hintAfter(repair),
    },
  );
}

function hintAfter(repair: boolean): string {
  return repair
    ? 'aixcl vault import FILE, from another copy; or aixcl backups delete ID'
    : 'aixcl vault verify --repair';
}

interface Checked {
  readonly broken: readonly StepOutcome[];
  readonly repaired: readonly StepOutcome[];
  /** One each, right or damaged. */
  readonly snapshots: readonly StepOutcome[];
  /** Damaged blobs that no snapshot names. */
  readonly strays: readonly StepOutcome[];
}

/** Without `change` nothing is noted. */
async function check(
  context: Context,
  vault: Vault,
  writer: VaultWriter,
  change: { readonly operation: Work['operation']; readonly repair: boolean } | undefined,
): Promise<Checked> {
  const [{ snapshots, broken }, present] = await Promise.all([vault.contents(), vault.blobs()]);
  const sizes = new Map<Digest, number>([...present].map(([digest, { size }]) => [digest, size]));
  for (const { files } of snapshots) for (const { digest, size } of files) sizes.set(digest, size);
  const blobs: BlobToHash[] = [...sizes].map(([digest, size]) => ({ digest, size }));
  const found = await hashBlobs(context, writer, blobs);
  const bad = blobs.filter(({ digest }) => found.has(digest));
  const wrong = new Map(found);
  const repaired = change?.repair ? await repairBlobs(context, { ...change, writer }, bad, snapshots) : [];
  for (const { target } of repaired) wrong.delete(target as Digest);
  const outcomes: StepOutcome[] = [];
  for (const snapshot of snapshots) {
    const files = snapshot.files.filter(({ digest }) => wrong.has(digest));
    outcomes.push(outcomeOf(snapshot, files, wrong));
    if (change) await note(writer, snapshot, files);
  }
  const named = new Set(snapshots.flatMap(({ files }) => files.map(({ digest }) => digest)));
  return {
    broken: broken.map(({ name, why }) => failed(name, `this record can't be read: ${why}`)),
    repaired,
    snapshots: outcomes,
    strays: [...wrong]
      .filter(([digest]) => !named.has(digest))
      .map(([digest, why]) => failed(digest, `no snapshot's file, and damaged: ${why}`)),
  };
}

function outcomeOf(
  { id, subject, damage }: Snapshot,
  bad: readonly SnapshotFile[],
  wrong: ReadonlyMap<Digest, string>,
): StepOutcome {
  const target = `${id} (${subject.name})`;
  if (bad.length > 0) {
    return failed(target, bad.map(({ path, digest }) => `${path}: ${wrong.get(digest)}`).join('; '));
  }
  const asSaved = damage !== null && !damage.startsWith(foundInVault);
  const because = asSaved ? `as it was saved, damaged: ${damage}` : 'every byte is right';
  return { kind: 'verify', target, outcome: 'done', because };
}

function failed(target: string, because: string): StepOutcome {
  return { kind: 'verify', target, outcome: 'failed', because };
}

/** What was noted of the model when it was saved stays. */
async function note(
  writer: VaultWriter,
  { id, damage }: Snapshot,
  bad: readonly SnapshotFile[],
): Promise<void> {
  const [first] = bad;
  if (first) {
    const others = bad.length > 1 ? ` and ${bad.length - 1} more` : '';
    const text = `${foundInVault}${first.path}${others} had other bytes when it was hashed`;
    await writer.note(id, {
      verified: null,
      damage: damage?.startsWith(foundInVault) === false ? damage : text,
    });
  } else if (damage === null || damage.startsWith(foundInVault)) {
    await writer.note(id, { verified: new Date(), damage: null });
  }
}
