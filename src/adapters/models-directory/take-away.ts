import { createHash } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { AixclError, systemCode } from '../../errors.ts';
import { quoted } from '../../models/model-name.ts';
import { shellWord } from '../../shell-word.ts';
import type { VerifiedBackup } from '../../vault/verified-backup.ts';
import { ownershipOf } from '../durable.ts';
import { readTree } from '../folders/tree.ts';
import { carryOut, type GoneFile, type Move } from '../swap/swap.ts';
import { assertSame } from './gguf-source.ts';
import { type BlobPath, findKept, type KeptGguf } from './kept-model.ts';
import { recordPath } from './records.ts';

/** Where the notes of unfinished changes lie in a models directory. */
export function notesOf(directory: string): string {
  return join(directory, '.aixcl', 'swaps');
}

/** How a standing model goes aside: its folder in one step; of files side by side the first shard last, since the model has its name. */
export interface GoingAside {
  readonly moves: readonly Move[];
  readonly gone: readonly GoneFile[];
  /** Folder that they go into. */
  readonly aside: string;
}

export function goAside(directory: string, model: KeptGguf, operation: string): GoingAside {
  const key = createHash('sha256').update(model.name).digest('hex').slice(0, 12);
  const aside = join(directory, '.aixcl', 'outgoing', `${operation}-${key}`);
  const gone = model.parts.map(({ path }) => ({ path: join(aside, path), file: path }));
  if (model.folder)
    return { moves: [{ from: join(directory, model.name), to: aside, aside: true }], gone, aside };
  const moves = model.parts.map(({ path, place }) => ({
    from: join(directory, place),
    to: join(aside, path),
    aside: true,
  }));
  return { moves: moves.reverse(), gone, aside };
}

/** Throws `refused` unless the snapshot of `proof` holds all that lies under the model's name, and that is what it was. */
export async function assertSaved(
  directory: string,
  model: KeptGguf,
  proof: VerifiedBackup,
  blobPath: BlobPath,
): Promise<void> {
  assertSame(model, await findKept(directory, model.name, blobPath));
  const saved = new Map(proof.snapshot.files.map(({ path, size }) => [path, size]));
  const lacking = model.parts.find(({ path, identity }) => saved.get(path) !== identity.size);
  if (!lacking) return;
  throw new AixclError(
    'verification',
    `${proof.snapshot.id} does not hold ${quoted(lacking.path)} as it is`,
    {
      hint: `aixcl backups create ${shellWord(model.name)}`,
    },
  );
}

/** Throws when what went aside is more than what was saved: someone put a file into the folder in between. */
export async function assertNothingElse({ aside, gone }: GoingAside): Promise<void> {
  const { files, odd } = await readTree(aside);
  const known = new Set(gone.map(({ path }) => relative(aside, path)));
  const strange = files.find(({ path }) => !known.has(path)) ?? odd[0];
  if (!strange) return;
  throw new AixclError('refused', `${quoted(strange.path)} came in meanwhile, so nothing was removed`, {
    hint: 'Run the command again.',
  });
}

/** Takes a model off its name and then off the disk; all of it is in the vault. */
export async function takeAway(
  directory: string,
  model: KeptGguf,
  proof: VerifiedBackup,
  blobPath: BlobPath,
): Promise<void> {
  await assertSaved(directory, model, proof, blobPath);
  const { operation, id } = proof.snapshot;
  const going = goAside(directory, model, operation);
  await carryOut(
    {
      operation,
      saved: { subject: model.subject, snapshot: id },
      moves: going.moves,
      gone: going.gone,
      staged: [],
      clear: [
        going.aside,
        join(directory, '.aixcl', 'args', model.name),
        ...model.parts.map(({ place }) => recordPath(directory, place)),
      ],
      after: null,
    },
    proof,
    {
      notes: notesOf(directory),
      owner: await ownershipOf(directory),
      check: () => assertNothingElse(going),
      async finish() {},
    },
  );
  for (const { place } of model.parts) await assertGone(join(directory, place));
}

async function assertGone(path: string): Promise<void> {
  try {
    await lstat(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return;
    throw error;
  }
  throw new AixclError('unexpected', `${path} is there again: something else made it`);
}
