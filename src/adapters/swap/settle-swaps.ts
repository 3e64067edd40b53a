import { lstat } from 'node:fs/promises';
import { basename } from 'node:path';
import { AixclError } from '../../errors.ts';
import type { RecoverOptions } from '../../models/keeper.ts';
import type { Evidence } from '../../vault/evidence.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { SourceFile, Subject } from '../../vault/subject.ts';
import type { VaultWriter, WorkOptions } from '../../vault/vault.ts';
import { VerifiedBackup } from '../../vault/verified-backup.ts';
import { clearHalfNotes, type GoneFile, notedSwaps, type Swap, settle } from './swap.ts';

/**
 * Ends every change of names that a killed command noted in `notes`. What went aside is proven to be in the vault once more before it is
 * removed; what can't be proven goes into quarantine.
 */
export async function settleSwaps(
  notes: string,
  writer: VaultWriter,
  finish: (swap: Swap) => Promise<void>,
  options: RecoverOptions,
): Promise<void> {
  await clearHalfNotes(notes);
  for (const noted of await notedSwaps(notes)) {
    await settle(noted, {
      finish,
      decided: (end) => options.settling(noted.swap.operation, `${namesOf(noted.swap)}: ${words[end]}`),
      async prove(files) {
        const { saved } = noted.swap;
        if (!saved || files.length === 0) return;
        await prove(saved, files, writer, options);
      },
    });
  }
}

const words = {
  finished: 'the change of its names is finished',
  'taken back': 'the change of its names is taken back',
};

/** Of the model that goes, or else of what was to get its name. */
function namesOf({ saved, moves }: Swap): string {
  return saved?.subject.name ?? moves.map(({ to }) => basename(to)).join(', ');
}

async function prove(
  saved: { readonly subject: Subject; readonly snapshot: string },
  files: readonly GoneFile[],
  writer: VaultWriter,
  options: WorkOptions,
): Promise<void> {
  const { snapshots } = await writer.vault.contents();
  const snapshot = snapshots.find(({ id }) => id === saved.snapshot);
  try {
    if (!snapshot) throw new AixclError('verification', `the snapshot ${saved.snapshot} is gone`);
    const evidence: Evidence[] = [];
    for (const file of files) evidence.push(await takeAgain(file, snapshot, writer, options));
    const left = {
      ...snapshot,
      files: snapshot.files.filter(({ path }) => files.some((each) => each.file === path)),
    };
    await VerifiedBackup.of(writer, left, evidence).assertCovers(saved.subject);
  } catch (error) {
    if (!(error instanceof AixclError) || error.code !== 'verification') throw error;
    for (const file of files) {
      const why = `${saved.subject.name} was being removed, and is not in the vault as it was: ${error.message}`;
      await writer.quarantine(await sourceFile(file, null), { move: true, why });
    }
  }
}

async function takeAgain(
  gone: GoneFile,
  snapshot: Snapshot,
  writer: VaultWriter,
  options: WorkOptions,
): Promise<Evidence> {
  const saved = snapshot.files.find(({ path }) => path === gone.file);
  if (!saved) throw new AixclError('verification', `${snapshot.id} does not hold ${gone.file}`);
  return await writer.takeIn(await sourceFile(gone, saved.digest), {
    ...options,
    way: 'link',
    recheck: true,
  });
}

async function sourceFile({ path, file }: GoneFile, digest: SourceFile['digest']): Promise<SourceFile> {
  const { size } = await lstat(path);
  return { path: file, size, digest, proven: false, bytes: { kind: 'file', path } };
}
