import { lstat, mkdir, realpath, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { AixclError, systemCode } from '../errors.ts';
import type { Keeper, KeptModel, RestoreOptions } from '../models/keeper.ts';
import { quoted } from '../models/model-name.ts';
import type { Digest } from '../vault/digest.ts';
import type { Snapshot } from '../vault/snapshot.ts';
import type { Source } from '../vault/subject.ts';
import { type FolderTree, readTree } from './folder-tree.ts';
import { settleSwaps } from './settle-swaps.ts';
import { stageFiles } from './stage-files.ts';
import { carryOut, NameTaken, notedSwaps } from './swap.ts';
import { sameContent } from './vault/file-identity.ts';
import { hashFile } from './vault/hashing.ts';

/** A plain directory as it was at one moment. */
interface KeptFolder extends KeptModel {
  readonly tree: FolderTree;
}

const factsSchema = z.object({
  links: z.array(z.object({ path: z.string(), target: z.string() })).catch([]),
});

/**
 * Keeps plain directories: an adapter, a training set. They are saved and restored, never removed. `home`: where the notes of unfinished
 * changes lie; `vault`: what no directory may hold, or lie in.
 */
export function directoryKeeper(places: { readonly home: string; readonly vault: string }): Keeper {
  const notes = join(places.home, 'swaps');
  return {
    runtime: 'directory',
    list: async () => [],
    find: (name) => find(name, places.vault),
    async open(model) {
      return open(model.subject.name, (await kept(model)).tree);
    },
    verify: async () => [],
    async digests(model, options) {
      const digests = new Map<string, Digest>();
      let done = 0;
      for (const { path, identity } of (await kept(model)).tree.files) {
        const before = done;
        const onProgress = (now: number) => options.onProgress?.(before + now);
        const file = join(model.subject.name, path);
        digests.set(path, (await hashFile(file, { signal: options.signal, onProgress })).digest);
        done += identity.size;
      }
      return digests;
    },
    async remove(model) {
      throw new AixclError(
        'refused',
        `${quoted(model.subject.name)} is a directory of yours; aixcl removes models`,
        {
          hint: 'aixcl models list',
        },
      );
    },
    restore: (snapshot, options) => restore(snapshot, options, { ...places, notes }),
    async mend(model) {
      throw new AixclError(
        'refused',
        `${quoted(model.subject.name)} is a directory of yours, and is not mended`,
      );
    },
    space: async () => null,
    unfinished: async () => (await notedSwaps(notes)).length > 0,
    recover: (writer, options) => settleSwaps(notes, writer, async () => {}, options),
  };

  async function kept(model: KeptModel): Promise<KeptFolder> {
    if ('tree' in model) return model as KeptFolder;
    const found = await find(model.subject.name, places.vault);
    if (found) return found;
    throw new AixclError('notFound', `${quoted(model.subject.name)} is not there`);
  }
}

async function find(name: string, vault: string): Promise<KeptFolder | undefined> {
  const path = resolve(name);
  const stats = await lstat(path).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  });
  if (!stats?.isDirectory()) return undefined;
  const real = await realpath(path);
  await refuseVault(real, vault);
  const tree = await readTree(real);
  // Where nothing lies, there is nothing to save and nothing to write over.
  if (isEmpty(tree)) return undefined;
  return {
    subject: { runtime: 'directory', name: real },
    size: tree.files.reduce((sum, { identity }) => sum + identity.size, 0),
    files: tree.files.map(({ path: file, identity, names }) => ({
      path: file,
      size: identity.size,
      digest: null,
      sharedWith: [],
      linkedElsewhere: names > 1,
    })),
    modified: tree.files.reduce(
      (newest, { modified }) => (modified > newest ? modified : newest),
      stats.mtime,
    ),
    damage: null,
    held: null,
    tree,
  };
}

/** A vault in a snapshot of its own would grow without end. */
async function refuseVault(path: string, vault: string): Promise<void> {
  const real = await realpath(vault).catch(() => vault);
  if (!isInside(real, path) && !isInside(path, real)) return;
  throw new AixclError(
    'refused',
    `${quoted(path)} holds the vault, or lies in it, and can't be saved into it`,
    {
      hint: 'Name a folder in it that holds no vault.',
    },
  );
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

async function open(root: string, tree: FolderTree): Promise<Source> {
  const [odd] = tree.odd;
  if (odd) {
    throw new AixclError('verification', `${quoted(join(root, odd.path))} can't be saved: ${odd.why}`, {
      hint: 'Take it out of the folder, or save the other folders by name.',
    });
  }
  return {
    subject: { runtime: 'directory', name: root },
    files: tree.files.map(({ path, identity, executable }) => ({
      path,
      size: identity.size,
      digest: null,
      proven: false,
      bytes: { kind: 'file', path: join(root, path) },
      ...(executable && { executable: true }),
    })),
    folders: tree.emptyFolders,
    facts: { links: tree.links },
    async assertUnchanged() {
      if (sameTree(tree, await readTree(root))) return;
      throw new AixclError('refused', `${quoted(root)} changed while it was saved`, {
        hint: 'Let whatever writes there finish, then run the command again.',
      });
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** By inode, size and modification time; to be linked into the vault changes the ctime. */
function sameTree(a: FolderTree, b: FolderTree): boolean {
  const rest = ({ emptyFolders, links }: FolderTree) => JSON.stringify([emptyFolders, links]);
  return (
    rest(a) === rest(b) &&
    a.files.length === b.files.length &&
    a.files.every((file, index) => {
      const other = b.files[index];
      return other?.path === file.path && sameContent(file.identity, other.identity);
    })
  );
}

/** Stages beside the target and swaps by rename. */
async function restore(
  snapshot: Snapshot,
  options: RestoreOptions,
  { vault, notes }: { readonly vault: string; readonly notes: string },
): Promise<void> {
  const target = resolve(options.target.name);
  const before = await find(target, vault);
  if (before === undefined) await refuseVault(target, vault);
  if (options.standing === 'nothing' && before) throw taken(target);
  const beside = (what: string) =>
    join(dirname(target), `.${basename(target).slice(0, 100)}.aixcl-${what}-${options.operation}`);
  const [staged, aside] = [beside('new'), beside('old')];
  await mkdir(dirname(target), { recursive: true });
  const links = factsSchema.parse(snapshot.facts).links;
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
          ? replaced.before.tree.files.map(({ path }) => ({ path: join(aside, path), file: path }))
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
          await rm(staged, { recursive: true, force: true });
          const half = (done: number) => options.onProgress?.(done / 2);
          await stageFiles(snapshot, staged, options.vault, await ownerOf(dirname(target)), {
            signal: options.signal,
            onProgress: half,
          });
          for (const { path, target: to } of links) {
            await mkdir(dirname(join(staged, path)), { recursive: true });
            await symlink(to, join(staged, path));
          }
          return null;
        },
        ...(replaced && {
          async check() {
            if (!sameTree(replaced.before.tree, await readTree(aside))) throw taken(target);
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

function isEmpty({ files, emptyFolders, links, odd }: FolderTree): boolean {
  return files.length + emptyFolders.length + links.length + odd.length === 0;
}

function assertSaved(before: KeptFolder, { files, id }: Snapshot): void {
  const saved = new Map(files.map(({ path, size }) => [path, size]));
  if (before.tree.files.every(({ path, identity }) => saved.get(path) === identity.size)) return;
  throw new AixclError('verification', `${id} does not hold ${quoted(before.subject.name)} as it is`, {
    hint: `aixcl backups create ${before.subject.name}`,
  });
}

/** What root puts into someone's folder is theirs. */
async function ownerOf(folder: string): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const { uid, gid } = await stat(folder);
  return uid === 0 && gid === 0 ? undefined : { uid, gid };
}

function taken(path: string): AixclError {
  return new AixclError('refused', `what lies in ${quoted(path)} is not what was seen before, so it stays`, {
    hint: 'Run the command again.',
  });
}
