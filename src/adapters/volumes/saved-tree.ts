import { z } from 'zod';
import { AixclError } from '../../errors.ts';
import type { VolumeSummary } from '../../stack/engine.ts';
import type { Snapshot, SnapshotFile } from '../../vault/snapshot.ts';
import type { Attributes } from '../folders/attributes.ts';
import type { FolderTree } from '../folders/tree.ts';
import { isPlainPath } from '../vault/records.ts';

/** Whose a thing in a volume is, how it may be used and when it was last written to. */
export type SavedAttributes = Required<Attributes>;

/** What a snapshot of a volume says beside the bytes of its files. Paths are those in the volume; the volume itself is the empty one. */
export interface SavedTree {
  readonly files: readonly SnapshotFile[];
  /** All of them, the volume itself too, each before what lies in it. */
  readonly folders: readonly string[];
  readonly links: readonly { readonly path: string; readonly target: string }[];
  /** Of those that the snapshot knows it of. */
  readonly attributes: ReadonlyMap<string, SavedAttributes>;
  /** How the volume was made. */
  readonly volume: SavedVolumeOptions | undefined;
}

export type SavedVolumeOptions = Pick<VolumeSummary, 'driver' | 'options' | 'labels'>;

const path = z.string().refine(isPlainPath, 'no plain relative path');
const anyPath = z.union([z.literal(''), path]);
const texts = z.record(z.string(), z.string());
const factsSchema = z.object({
  links: z.array(z.object({ path, target: z.string().min(1) })).default([]),
  modes: z.array(z.tuple([anyPath, z.string().regex(/^[0-7]{3,4}$/)])).default([]),
  times: z.array(z.tuple([anyPath, z.number()])).default([]),
  owners: z.array(z.tuple([anyPath, z.int().nonnegative(), z.int().nonnegative()])).default([]),
  volume: z.object({ driver: z.string(), options: texts, labels: texts }).optional(),
});

/** Facts of a snapshot of a volume; links, modes and times as those of a plain folder. */
export function volumeFacts(
  { owned, links }: FolderTree,
  { driver, options, labels }: VolumeSummary,
  folder: string | undefined,
): Readonly<Record<string, unknown>> {
  const all = [...owned];
  const facts: z.input<typeof factsSchema> = {
    links: [...links],
    modes: all.map(([at, { bits }]) => [at, bits.toString(8).padStart(3, '0')]),
    times: all.map(([at, { mtime }]) => [at, mtime]),
    owners: all.map(([at, { uid, gid }]) => [at, uid, gid]),
    volume: { driver, options, labels },
  };
  return { ...facts, ...(folder !== undefined && { folder }) };
}

/** Throws `verification` for what would lead out of the volume, or through a link in it: a snapshot may come from anywhere. */
export function savedTree({ id, files, folders, facts }: Snapshot): SavedTree {
  const parsed = factsSchema.safeParse(facts);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw unusable(id, `${issue?.path.join('.')}: ${issue?.message}`);
  }
  const { links, modes, times, owners, volume } = parsed.data;
  const notFolders = new Set([...files, ...links].map((each) => each.path));
  if (notFolders.size < files.length + links.length) throw unusable(id, 'two things in it have one name');
  const attributed = modes.flatMap(([at]) => (notFolders.has(at) ? [] : [at]));
  const all = withParents(['', ...folders, ...attributed, ...notFolders].filter((at) => at !== undefined));
  const inside = new Set([...all].filter((at) => !notFolders.has(at)));
  const wrong = [...all].find((at) => at !== '' && notFolders.has(parent(at)));
  if (wrong !== undefined) throw unusable(id, `${JSON.stringify(wrong)} lies in what is no folder`);
  return {
    files,
    folders: [...inside].sort((a, b) => depth(a) - depth(b)),
    links,
    attributes: attributesBy(modes, times, owners),
    volume,
  };
}

function attributesBy(
  modes: readonly (readonly [string, string])[],
  times: readonly (readonly [string, number])[],
  owners: readonly (readonly [string, number, number])[],
): Map<string, SavedAttributes> {
  const mtimes = new Map(times);
  const owner = new Map(owners.map(([at, uid, gid]) => [at, { uid, gid }]));
  return new Map(
    modes.flatMap(([at, octal]) => {
      const [mtime, whose] = [mtimes.get(at), owner.get(at)];
      return mtime === undefined || !whose
        ? []
        : [[at, { mode: Number.parseInt(octal, 8), mtime, owner: whose }]];
    }),
  );
}

function withParents(paths: Iterable<string>): Set<string> {
  const all = new Set<string>();
  for (const each of paths) {
    for (let at = each; !all.has(at); at = parent(at)) all.add(at);
  }
  return all;
}

function parent(at: string): string {
  return at.slice(0, Math.max(0, at.lastIndexOf('/')));
}

function depth(at: string): number {
  return at === '' ? 0 : at.split('/').length;
}

function unusable(id: string, why: string): AixclError {
  return new AixclError('verification', `${id} can't be used as a volume: ${why}`, {
    hint: `aixcl backups restore ${id} --to DIR`,
  });
}
