import { basename, dirname, join } from 'node:path';
import { AixclError } from '../../errors.ts';
import { quoted } from '../../models/model-name.ts';
import type { VerifiedBackup } from '../../vault/verified-backup.ts';
import { carryOut } from '../swap/swap.ts';
import { assertSaved, type KeptFolder, sameTree } from './kept-folder.ts';
import { readTree, treeOfFile } from './tree.ts';

/**
 * Takes a folder, or a single file, off its name by a rename beside it, and then off the disk; all of it is in the vault. `notes`: where the notes of
 * unfinished changes lie.
 */
export async function takeFolderAway(
  folder: KeptFolder,
  proof: VerifiedBackup,
  notes: string,
): Promise<void> {
  const { subject, tree, file } = folder;
  assertSaved(folder, proof.snapshot);
  const { operation, id } = proof.snapshot;
  const aside = join(
    dirname(subject.name),
    `.${basename(subject.name).slice(0, 100)}.aixcl-old-${operation}`,
  );
  await carryOut(
    {
      operation,
      saved: { subject, snapshot: id },
      moves: [{ from: subject.name, to: aside, aside: true }],
      gone: tree.files.map(({ path }) => ({ path: file ? aside : join(aside, path), file: path })),
      staged: [],
      clear: [aside],
      after: null,
    },
    proof,
    {
      notes,
      owner: undefined,
      async check() {
        const now = file ? await treeOfFile(aside, tree.files[0]?.path) : await readTree(aside);
        if (sameTree(tree, now)) return;
        throw new AixclError(
          'refused',
          `what lies in ${quoted(subject.name)} is not what was saved, so it stays`,
          { hint: 'Let whatever writes there finish, then run the command again.' },
        );
      },
      async finish() {},
    },
  );
}
