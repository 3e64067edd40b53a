import { chmod, chown, lstat, mkdir, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { AixclError } from '../../errors.ts';
import type { RestoreOptions } from '../../models/keeper.ts';
import { quoted } from '../../models/model-name.ts';
import { shellWord } from '../../shell-word.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import { diskRefusal } from '../disk-refusal.ts';
import { makeDirectory, type Ownership } from '../durable.ts';
import { stageFile, stageFiles } from '../swap/stage-files.ts';
import { carryOut, NameTaken } from '../swap/swap.ts';
import { isPlainPath } from '../vault/records.ts';
import { attributesOf, settleFolders } from './attributes.ts';
import { assertSaved, fileFacts, findFolder, type KeptFolder, refuseVault, sameTree } from './kept-folder.ts';
import { readTree, treeOfFile } from './tree.ts';

const factsSchema = z.object({
  links: z.array(z.object({ path: z.string().refine(isPlainPath), target: z.string() })).catch([]),
});

/** Stages beside the target and swaps by rename. What a disk refuses is an error that names what to look at. */
export async function putFolderBack(
  snapshot: Snapshot,
  options: RestoreOptions,
  places: { readonly vault: string; readonly notes: string },
): Promise<void> {
  try {
    await swapIn(snapshot, options, places);
  } catch (error) {
    throw refusal(error, resolve(options.target.name), places.notes);
  }
}

async function swapIn(
  snapshot: Snapshot,
  options: RestoreOptions,
  { vault, notes }: { readonly vault: string; readonly notes: string },
): Promise<void> {
  const target = resolve(options.target.name);
  const before = await findFolder(target, vault);
  if (before === undefined) await refuseVault(target, vault);
  if (options.standing === 'nothing' && before) throw taken(target);
  const beside = (what: string) =>
    join(dirname(target), `.${basename(target).slice(0, 100)}.aixcl-${what}-${options.operation}`);
  const [staged, aside] = [beside('new'), beside('old')];
  await mkdir(dirname(target), { recursive: true });
  const proof = options.standing === 'nothing' ? undefined : options.standing;
  const replaced = before && proof ? { before, proof } : undefined;
  if (replaced) assertSaved(replaced.before, replaced.proof.snapshot);
  try {
    await carryOut(
      {
        operation: options.operation,
        saved: replaced ? { subject: replaced.before.subject, snapshot: replaced.proof.snapshot.id } : null,
        moves: [
          ...(replaced ? [{ from: target, to: aside, aside: true }] : []),
          { from: staged, to: target },
        ],
        gone: replaced
          ? replaced.before.tree.files.map(({ path }) => ({
              path: replaced.before.file ? aside : join(aside, path),
              file: path,
            }))
          : [],
        staged: [staged],
        clear: replaced ? [aside] : [],
        after: null,
      },
      options.standing,
      {
        notes,
        owner: undefined,
        async stage() {
          const owner = await ownerOf(replaced ? target : dirname(target));
          const own = replaced?.before.tree.folders[0]?.mode;
          const staging = { ...options, own, opens: await modeOfEmpty(target, before) };
          if (isFileAt(snapshot, target)) await stageSingle(snapshot, staged, owner, staging);
          else await stage(snapshot, staged, owner, staging);
          return null;
        },
        ...(replaced && {
          async check() {
            const { tree, file } = replaced.before;
            const now = file ? await treeOfFile(aside, tree.files[0]?.path) : await readTree(aside);
            if (!sameTree(tree, now)) throw taken(target);
          },
        }),
        async finish() {},
      },
    );
  } catch (error) {
    if (error instanceof NameTaken) throw taken(target);
    throw error;
  }
}

/** Two disks may refuse: that of the folder, and that of the notes. */
export function refusal(error: unknown, target: string, notes: string): unknown {
  const path = error instanceof Error && 'path' in error ? String(error.path) : '';
  const place = path.startsWith(notes) ? notes : dirname(target);
  return diskRefusal(error, place, place);
}

/** Elsewhere than where it lay, a single file is put into a folder, as any snapshot is. */
function isFileAt({ facts, subject }: Snapshot, target: string): boolean {
  return facts.file === fileFacts.file && subject.name === target;
}

async function stageSingle(
  { files, id, facts }: Snapshot,
  staged: string,
  owner: Ownership | undefined,
  { vault, signal, onProgress }: Staging,
): Promise<void> {
  const [file, ...more] = files;
  if (!file || more.length > 0)
    throw new AixclError('verification', `${id} is no snapshot of one file`, {
      hint: `aixcl backups verify ${shellWord(id)}`,
    });
  await stageFile(file, staged, vault, owner, {
    signal,
    onProgress: (done) => onProgress?.(done / 2),
    attributes: attributesOf(facts).get(file.path),
  });
}

interface Staging extends RestoreOptions {
  /** Mode of the folder where the snapshot has none. */
  readonly own: number | undefined;
  /** At most this is the folder open to others. */
  readonly opens: number;
}

/** Nobody else can look into the new folder until all in it has the mode that it should have. */
async function stage(
  { files, folders, facts }: Snapshot,
  staged: string,
  owner: Ownership | undefined,
  { vault, signal, onProgress, own, opens }: Staging,
): Promise<void> {
  const attributes = attributesOf(facts);
  const paths = new Set(attributes.keys());
  for (const { path } of files) paths.delete(path);
  for (const path of folders) paths.add(path);
  paths.delete('');
  await rm(staged, { recursive: true, force: true });
  const made = await makePrivate(staged, owner);
  await stageFiles({ files, folders: [...paths] }, staged, vault, owner, {
    signal,
    onProgress: (done) => onProgress?.(done / 2),
    attributes,
  });
  for (const { path, target } of factsSchema.parse(facts).links) {
    await makeDirectory(dirname(join(staged, path)), owner);
    await symlink(target, join(staged, path));
  }
  await settleFolders(staged, paths, attributes, (attributes.get('')?.mode ?? own ?? made) & opens);
}

/** Makes a folder for this user alone; answers the mode that it would have had. */
async function makePrivate(path: string, owner: Ownership | undefined): Promise<number> {
  await mkdir(path);
  const { mode } = await lstat(path);
  await chmod(path, 0o700);
  if (owner) await chown(path, owner.uid, owner.gid);
  return mode & 0o777;
}

/** An empty folder that somebody made is opened to nobody whom it was closed to. */
async function modeOfEmpty(path: string, standing: KeptFolder | undefined): Promise<number> {
  if (standing) return 0o777;
  return await lstat(path).then(
    ({ mode }) => mode & 0o777,
    () => 0o777,
  );
}

/** What root puts into someone's folder, or in its place, is theirs. */
async function ownerOf(folder: string): Promise<Ownership | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const { uid, gid } = await stat(folder);
  return uid === 0 && gid === 0 ? undefined : { uid, gid };
}

function taken(path: string): AixclError {
  return new AixclError('refused', `what lies in ${quoted(path)} is not what was seen before, so it stays`, {
    hint: 'Run the command again.',
  });
}
