import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { AixclError } from '../../errors.ts';
import type { RestoreOptions } from '../../models/keeper.ts';
import {
  type ModelName,
  nameProblem,
  parseModelName,
  parseShardName,
  quoted,
  shardName,
} from '../../models/model-name.ts';
import { shellWord } from '../../shell-word.ts';
import { hexOf } from '../../vault/digest.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import { makeDirectory, ownershipOf } from '../durable.ts';
import { stageFiles } from '../swap/stage-files.ts';
import { ggufFacts } from './gguf-source.ts';
import type { BlobPath } from './kept-model.ts';
import { recordsFor, replaceModel } from './replace.ts';

/** One file that is to stand in the models directory. */
interface Placed {
  /** As staged. */
  readonly path: string;
  /** Relative to the models directory. */
  readonly place: string;
}

/** Puts a snapshot back as the model `options.target`: staged and hashed first, its name last, arguments and origins with it. */
export async function putBack(
  directory: string,
  snapshot: Snapshot,
  options: RestoreOptions,
  blobPath: BlobPath,
): Promise<void> {
  const name = parseModelName(options.target.name);
  const facts = ggufFacts(snapshot.facts);
  const { folder, placed } = placesOf(snapshot, name, facts.folder);
  await makeDirectory(directory, undefined);
  const owner = await ownershipOf(directory);
  const { operation } = options;
  const staged = join(directory, '.aixcl', 'incoming', `restore-${operation}`, name);
  await replaceModel(directory, name, {
    operation,
    standing: options.standing,
    folder,
    moves: folder
      ? [{ from: staged, to: join(directory, name) }]
      : placed.map(({ path, place }) => ({ from: join(staged, path), to: join(directory, place) })),
    staged: [join(directory, '.aixcl', 'incoming', `restore-${operation}`)],
    blobPath,
    async stage() {
      await stageFiles(snapshot, staged, options.vault, owner, {
        signal: options.signal,
        onProgress: (done) => options.onProgress?.(done / 2),
      });
      for (const { path, target } of facts.links) await symlink(target, join(staged, path));
      const digests = new Map(snapshot.files.map(({ path, digest }) => [path, digest]));
      const records = await recordsFor(
        placed.map(({ path, place }) => {
          const origin = facts.origins[path] ?? { source: null, version: null };
          const is = hexOf(digests.get(path)!);
          const should = facts.expected[path] ?? is;
          const record = { sha256: should, ...origin };
          return { place, from: join(staged, path), record, seen: should === is };
        }),
      );
      return { name, arguments: facts.arguments, records };
    },
  });
}

/** Under which names the files of a snapshot stand when its model is called `name`. */
function placesOf(
  snapshot: Snapshot,
  name: ModelName,
  inFolder: boolean,
): { readonly folder: boolean; readonly placed: readonly Placed[] } {
  const paths = snapshot.files.map(({ path }) => path);
  const asBefore = name === snapshot.subject.name;
  const [only] = paths;
  const shard = parseShardName(name);
  if (inFolder || paths.some((path) => path.includes('/'))) {
    return { folder: true, placed: paths.map((path) => ({ path, place: join(name, path) })) };
  }
  const wrong = paths.find((path) => nameProblem(path));
  if (wrong)
    throw new AixclError('verification', `${snapshot.id} holds ${quoted(wrong)}, which is no model's file`);
  if (asBefore) return { folder: false, placed: paths.map((path) => ({ path, place: path })) };
  if (only !== undefined && paths.length === 1) {
    if (!name.endsWith('.gguf')) {
      throw new AixclError('usage', `a model of one file is called by its file: ${quoted(`${name}.gguf`)}`, {
        hint: `--as ${shellWord(`${name}.gguf`)}`,
      });
    }
    return { folder: false, placed: [{ path: only, place: name }] };
  }
  const shards = paths.map((path) => parseShardName(path));
  if (shard && shards.every((each) => each?.count === shard.count)) {
    const place = (index: number) => shardName({ ...shard, number: shards[index]!.number });
    return { folder: false, placed: paths.map((path, index) => ({ path, place: place(index) })) };
  }
  return { folder: true, placed: paths.map((path) => ({ path, place: join(name, path) })) };
}
