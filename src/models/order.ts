import { basename } from 'node:path';
import { AixclError } from '../errors.ts';
import { shellWord } from '../shell-word.ts';
import { chooseBuild, type Hub, notForEveryone } from './hub.ts';
import type { Intake, Location, Order, OrderedFile, Probe } from './intake.ts';
import { mainFileOf } from './model-files.ts';
import {
  type ModelName,
  nameProblem,
  parseModelName,
  parseShardName,
  quoted,
  shardName,
} from './model-name.ts';
import { besideUrl, fileNameOf, type Source } from './source.ts';

interface OrderOptions {
  /** `--as`. */
  readonly as?: string | undefined;
  /** `--sha256`, 64 hex digits in lower case. */
  readonly sha256?: string | undefined;
  /** Asked for sources of the Hub alone, and needed for those. */
  readonly hub?: () => Promise<Hub>;
  readonly signal: AbortSignal;
}

/** What `source` would bring: its files with what is known of each, and the name that they get. Reads, changes nothing. */
export async function observeOrder(
  source: Exclude<Source, { kind: 'ollama' }>,
  intake: Intake,
  options: OrderOptions,
): Promise<Order> {
  const { name, folder, places } = await placesOf(source, intake, options);
  if (options.sha256 && places.size > 1) {
    throw new AixclError('usage', `--sha256 is for one file; ${quoted(source.text)} brings ${places.size}`);
  }
  const chosen = chooseName(options.as, name, folder);
  const files: OrderedFile[] = [];
  for (const [file, { location, stated }] of places) {
    const probe = await probed(file, location, stated, intake, options.signal);
    if (options.sha256 && probe.sha256 && options.sha256 !== probe.sha256) {
      throw new AixclError(
        'verification',
        `${quoted(source.text)} states the sha256 ${probe.sha256}, not ${options.sha256}`,
        { hint: 'Check the address and the sum that you were given.' },
      );
    }
    const single = places.size === 1 && !folder;
    files.push({
      ...probe,
      name: single ? chosen : file,
      location,
      sha256: options.sha256 ?? probe.sha256,
    });
  }
  return { name: chosen, folder, files };
}

interface Places {
  readonly name: string;
  readonly folder: boolean;
  /** By file name. */
  readonly places: ReadonlyMap<string, Place>;
}

interface Place {
  readonly location: Location;
  /** What the Hub's list says of it. */
  readonly stated?: { readonly size: number; readonly sha256: string | null };
}

async function placesOf(
  source: Exclude<Source, { kind: 'ollama' }>,
  intake: Intake,
  { hub, signal }: OrderOptions,
): Promise<Places> {
  if (source.kind === 'http') return fromUrl(source.url);
  if (source.kind === 'path') return await fromPath(source.text, intake);
  if (!hub) throw new Error('a source of the Hub needs the Hub');
  return await fromHub(source.repo, source.choice, await hub(), signal);
}

async function fromHub(repo: string, choice: string | null, hub: Hub, signal: AbortSignal): Promise<Places> {
  const { name, folder, files } = chooseBuild(repo, await hub.files(repo, signal), choice);
  const places = new Map<string, Place>();
  for (const { path, size, sha256 } of files) {
    const file = path.slice(path.lastIndexOf('/') + 1);
    const problem = nameProblem(file);
    if (problem) throw new AixclError('usage', `${quoted(file)} of ${repo} can't be stored: ${problem}`);
    places.set(file, { location: hub.locate(repo, path), stated: { size, sha256 } });
  }
  return { name, folder, places };
}

/** What is at a location; of a file of the Hub, held against the Hub's list. */
async function probed(
  file: string,
  location: Location,
  stated: Place['stated'],
  intake: Intake,
  signal: AbortSignal,
): Promise<Probe> {
  if (!stated) return await intake.probe(location, signal);
  const probe = await intake.probe(location, signal).catch((error: unknown) => {
    if (error instanceof AixclError && error.code === 'refused') throw notForEveryone(error.message);
    throw error;
  });
  const sizes = probe.size === null || probe.size === stated.size;
  if (sizes && (!probe.sha256 || !stated.sha256 || probe.sha256 === stated.sha256)) {
    return { ...probe, size: stated.size, sha256: stated.sha256 ?? probe.sha256 };
  }
  throw new AixclError('unexpected', `${quoted(file)} is being replaced on the Hub`, {
    hint: 'Run the command again.',
  });
}

function fromUrl(url: URL): Places {
  const file = fileNameOf(url);
  const shards = allShards(file);
  const at = (place: URL): Place => ({ location: { kind: 'http', url: place } });
  if (!shards) return { name: file, folder: false, places: new Map([[file, at(url)]]) };
  return {
    name: shards.stem,
    folder: true,
    places: new Map(shards.files.map((each) => [each, at(besideUrl(url, each))])),
  };
}

async function fromPath(text: string, intake: Intake): Promise<Places> {
  const thing = await intake.look(text);
  if (!thing) throw new AixclError('notFound', `There is no file ${quoted(text)}`, { hint: 'ls' });
  if (thing.kind === 'other') throw new AixclError('usage', `${quoted(text)} is neither a file nor a folder`);
  const at = (path: string): Place => ({ location: { kind: 'path', path } });
  if (thing.kind === 'folder') {
    const files = thing.names.filter((name) => name.endsWith('.gguf') && !name.startsWith('.'));
    if (files.length === 0) {
      throw new AixclError('notFound', `The folder ${quoted(text)} holds no .gguf file`, {
        hint: `ls ${shellWord(text)}`,
      });
    }
    const main = mainFileOf(files);
    if ('problem' in main) {
      throw new AixclError('usage', `The folder ${quoted(text)} is not one model: ${main.problem}`);
    }
    return {
      name: basename(thing.path),
      folder: true,
      places: new Map(files.map((file) => [file, at(`${thing.path}/${file}`)])),
    };
  }
  // The name that the user gave, not the one that a link leads to: caches keep files under their digest.
  const file = basename(text);
  if (!file.endsWith('.gguf')) {
    throw new AixclError('usage', `${quoted(text)} is not a .gguf file`, {
      hint: 'aixcl models add MODEL.gguf',
    });
  }
  const shards = allShards(file);
  if (!shards) return { name: file, folder: false, places: new Map([[file, at(thing.path)]]) };
  const beside = (each: string) => text.slice(0, text.length - file.length) + each;
  const places = new Map<string, Place>();
  for (const each of shards.files) {
    const shard = await intake.look(beside(each));
    if (shard?.kind !== 'file') {
      throw new AixclError('notFound', `${quoted(beside(each))}, a shard of the same model, is not there`, {
        hint: `ls ${shellWord(beside(shards.stem))}-*`,
      });
    }
    places.set(each, at(shard.path));
  }
  return { name: shards.stem, folder: true, places };
}

/** More shards than any model has, and than anyone wants asked for one by one. */
const maximumShards = 1000;

function allShards(file: string): { stem: string; files: string[] } | undefined {
  const shard = parseShardName(file);
  if (!shard) return undefined;
  if (shard.count > maximumShards) {
    throw new AixclError('usage', `${quoted(file)} claims ${shard.count} shards; ${maximumShards} at most`);
  }
  const { stem, count } = shard;
  const files = Array.from({ length: count }, (_, index) => shardName({ stem, count, number: index + 1 }));
  return { stem, files };
}

function chooseName(as: string | undefined, found: string, folder: boolean): ModelName {
  if (as !== undefined) {
    const name = folder || as.endsWith('.gguf') ? as : `${as}.gguf`;
    return parseModelName(name);
  }
  const problem = nameProblem(found);
  if (!problem) return found as ModelName;
  throw new AixclError('usage', `${quoted(found)} can't be a model's name: ${problem}`, {
    hint: 'Give it a name of its own: --as NAME',
  });
}
