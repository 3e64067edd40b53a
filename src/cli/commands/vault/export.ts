import { lstat } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import type { Arguments } from 'yargs';
import { entriesOf } from '../../../adapters/vault-archive/entries.ts';
import { sizeOf, taken, writeArchive } from '../../../adapters/vault-archive/write.ts';
import { AixclError } from '../../../errors.ts';
import type { StepOutcome } from '../../../plan/step.ts';
import { shellWord } from '../../../shell-word.ts';
import { chooseSnapshots } from '../../../vault/choose-snapshots.ts';
import type { Snapshot } from '../../../vault/snapshot.ts';
import { vaultOf } from '../../../wiring/vault.ts';
import type { Context } from '../../context.ts';
import { bytes } from '../../output/quantity.ts';
import { wishFor } from './name-wish.ts';

const command = 'vault export';

/** `vault export FILE NAME…`: one tar with all that these snapshots are. Takes no lock, as what is published never changes. */
export async function exportTo(context: Context, argv: Arguments): Promise<void> {
  const file = String(argv.file);
  const vault = vaultOf(context);
  const contents = await vault.contents();
  const wishes = [argv.snapshots].flat().map((text) => wishFor(String(text)));
  const chosen = chooseSnapshots(contents, wishes);
  for (const { name, why } of contents.broken)
    context.out.warn(`the record ${name} can't be read, and is not exported: ${why}`);
  if (`${resolve(file)}${sep}`.startsWith(`${vault.path}${sep}`)) {
    throw new AixclError('refused', `${file} lies in the vault, which holds nothing but its own files`, {
      hint: 'Give it another place.',
    });
  }
  if (await isThere(file)) throw taken(file);
  const entries = await entriesOf(vault, chosen);
  const size = sizeOf(entries);
  if (context.flags.dryRun) return report(context, file, chosen, size, 'planned');
  const task = context.progress.start(`writing ${file}`, size);
  try {
    await writeArchive(file, entries, newest(chosen), {
      signal: context.signal,
      onProgress: (done) => task.update({ done }),
    });
    task.succeed();
  } catch (error) {
    task.fail();
    throw error;
  }
  report(context, file, chosen, size, 'done');
}

function report(
  context: Context,
  file: string,
  chosen: readonly Snapshot[],
  size: number,
  outcome: StepOutcome['outcome'],
): void {
  const steps = chosen.map(({ id, subject, size }) => ({
    kind: 'export',
    target: id,
    outcome,
    because: `${subject.name}, ${bytes(size)}`,
  }));
  const word = outcome === 'done' ? 'exported' : 'would export';
  const lines = steps.map(({ target, because }) => `${word} ${target} (${because})`);
  if (outcome === 'done') {
    lines.push(
      `${file}: ${bytes(size)}, read again and right`,
      `next: aixcl vault import ${shellWord(file)}   (there)`,
    );
  } else lines.push(`${file} would have ${bytes(size)}`);
  context.out.result({ command, changed: outcome === 'done', steps }, lines.join('\n'));
}

/** The same snapshots give the same archive, byte for byte. */
function newest(snapshots: readonly Snapshot[]): Date {
  return new Date(Math.max(...snapshots.map(({ created }) => Math.floor(created.getTime() / 1000) * 1000)));
}

async function isThere(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}
