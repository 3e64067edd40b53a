import type { Arguments } from 'yargs';
import { AixclError } from '../../../errors.ts';
import type { StepOutcome } from '../../../plan/step.ts';
import { parseDuration } from '../../../stack/definition/quantities.ts';
import type { Collected } from '../../../vault/vault.ts';
import { withOperation } from '../../../wiring/operation.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import type { Context } from '../../context.ts';
import { bytes } from '../../output/quantity.ts';
import { underLock } from './look.ts';

const command = 'vault gc';

/** `vault gc`: mark and sweep. Shows what would go, asks, and looks again under the lock. */
export async function gc(context: Context, argv: Arguments): Promise<void> {
  const graceSeconds = parseGrace(argv.grace);
  const vault = vaultOf(context);
  const look = await underLock(context, vault, command, (writer) =>
    writer.collect({ now: new Date(), graceSeconds, dryRun: true }),
  );
  const count = look.blobs.length;
  if (context.flags.dryRun || count === 0) return report(context, look, 'planned');
  await context.confirm(
    `${count} blob${count === 1 ? '' : 's'} (${bytes(look.bytes)}) of ${vault.path} that no snapshot names would be deleted. Delete ${count === 1 ? 'it' : 'them'}?`,
  );
  const collected = await withOperation(context, { command, targets: [] }, async (turn) => {
    const options = { now: new Date(), graceSeconds };
    const again = await turn.writer.collect({ ...options, dryRun: true });
    const shown = new Set(look.blobs.map(({ digest }) => digest));
    if (!again.blobs.every(({ digest }) => shown.has(digest))) {
      throw new AixclError('refused', 'other blobs would go than were shown, so nothing was deleted', {
        hint: 'aixcl vault gc',
      });
    }
    for (const { digest } of again.blobs)
      await turn.operation.step('collect', digest, 'no snapshot names it');
    return turn.writer.collect({ ...options, dryRun: false });
  });
  report(context, collected, 'done');
}

function report(
  context: Context,
  { blobs, bytes: freed, young }: Collected,
  outcome: 'planned' | 'done',
): void {
  const steps: StepOutcome[] = blobs.map(({ digest, size }) => ({
    kind: 'collect',
    target: digest,
    outcome,
    because: `no snapshot names it (${bytes(size)})`,
  }));
  const lines = steps.map(
    ({ target, because }) => `${outcome === 'done' ? 'deleted' : 'would delete'} ${target}: ${because}`,
  );
  if (blobs.length === 0) lines.push('every blob belongs to a snapshot');
  else lines.push(`${outcome === 'done' ? 'freed' : 'would free'} ${bytes(freed)}`);
  if (young > 0) lines.push(`kept ${young} younger than the grace period`);
  context.out.result({ command, changed: outcome === 'done' && blobs.length > 0, steps }, lines.join('\n'));
}

/** Seconds. */
function parseGrace(value: unknown): number {
  const text = String(Array.isArray(value) ? value.at(-1) : value);
  const milliseconds = parseDuration(text);
  if (milliseconds !== undefined && milliseconds >= 0) return milliseconds / 1000;
  throw new AixclError('usage', `--grace takes a duration, not "${text}"`, { hint: '--grace 1h' });
}
