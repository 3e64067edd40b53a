import { z } from 'zod';
import { AixclError } from '../errors.ts';
import { shellWord } from '../shell-word.ts';
import type { ByteSource } from './gguf/byte-source.ts';
import { GgufProblem, readHeader } from './gguf/header.ts';
import { inspectGguf } from './gguf/inspect.ts';
import { quoted } from './model-name.ts';
import { readSafetensors, SafetensorsProblem } from './safetensors.ts';

/** What an adapter says of itself; null where it does not. */
export interface AdapterFacts {
  readonly format: 'peft' | 'gguf';
  /** `LORA`, mostly. */
  readonly method: string | null;
  readonly rank: number | null;
  readonly alpha: number | null;
  /** True: scaled by alpha / sqrt(rank). */
  readonly rankStabilized: boolean;
  /** The model that it was trained on, in the trainer's words: a name on the hub, or a path. */
  readonly base: string | null;
  /** Files with its weights, relative to the directory. */
  readonly weights: readonly string[];
  readonly tensors: number;
}

/** A directory that may be an adapter: its files by relative path. */
export interface AdapterDirectory {
  readonly path: string;
  readonly files: readonly { readonly path: string; readonly size: number }[];
  /** What lies there as a symbolic link, by relative path: none of its files. */
  readonly links?: readonly string[] | undefined;
  /** Reads a file while `work` runs. */
  read<T>(path: string, work: (source: ByteSource) => Promise<T>): Promise<T>;
}

const configName = 'adapter_config.json';
const weightsName = 'adapter_model.safetensors';
const indexName = `${weightsName}.index.json`;
const shardPattern = /^adapter_model-(\d{5})-of-(\d{5})\.safetensors$/;
const largestConfig = 16 * 2 ** 20;

/**
 * What lies in a directory: a PEFT adapter with its config and whole weights, or GGUF files, each whole. Null: GGUF files of which none is an
 * adapter. Throws `verification`, naming what is missing or damaged.
 */
export async function inspectAdapter(directory: AdapterDirectory): Promise<AdapterFacts | null> {
  const names = new Set(directory.files.map(({ path }) => path));
  const gguf = [...names].filter((name) => name.endsWith('.gguf')).sort();
  const peft = [...names].some((name) => name === configName || name.startsWith('adapter_model'));
  const inGguf = await ggufAdapter(directory, gguf);
  if (!peft && gguf.length > 0) return inGguf;
  const weights = weightsIn(names);
  // Converted already: the directory has its weights, in another form.
  if (weights.length === 0 && inGguf) return inGguf;
  const lacks = [
    ...(names.has(configName) ? [] : [configName]),
    ...(weights.length > 0
      ? []
      : [names.has(indexName) ? `the shards that ${indexName} names` : weightsName]),
  ];
  if (lacks.length > 0) throw incomplete(directory, names, lacks);
  const config = await readConfig(directory);
  let tensors = 0;
  for (const path of weights) tensors += await checkWeights(directory, path);
  if (tensors === 0) throw damaged(directory, weights[0]!, 'it holds no weights');
  if (names.has(indexName)) await checkIndex(directory, names);
  return { ...config, format: 'peft', weights, tensors };
}

/** One GGUF file: what it says if it is an adapter, null if it is none. Throws `verification` when it is not whole. */
export async function inspectGgufAdapter(
  { path, read }: Pick<AdapterDirectory, 'path' | 'read'>,
  name: string,
): Promise<AdapterFacts | null> {
  try {
    return await read(name, async (source) => {
      const { summary, tensors } = await inspectGguf(source, { thorough: false });
      if (tensors === 0) throw new GgufProblem('it holds no weights');
      if (summary.role !== 'adapter') return null;
      const header = await readHeader(source);
      const said = (key: string) => header.metadata.get(key);
      const [method, alpha, base] = [
        said('adapter.type'),
        said('adapter.lora.alpha'),
        said('general.base_model.0.name'),
      ];
      // A matrix of R rows: [columns, R]. The rank is what A gives and B takes.
      const rank = header.tensors.find((tensor) => tensor.name.endsWith('.lora_b'))?.shape[0];
      return {
        format: 'gguf',
        method: typeof method === 'string' ? method.toUpperCase() : null,
        rank: rank === undefined ? null : Number(rank),
        alpha: typeof alpha === 'number' ? alpha : null,
        rankStabilized: false,
        base: typeof base === 'string' ? base : null,
        weights: [name],
        tensors,
      };
    });
  } catch (error) {
    if (error instanceof GgufProblem) throw damaged({ path }, name, error.message, error);
    throw error;
  }
}

async function ggufAdapter(
  directory: AdapterDirectory,
  names: readonly string[],
): Promise<AdapterFacts | null> {
  let found: AdapterFacts | null = null;
  for (const name of names) found = (await inspectGgufAdapter(directory, name)) ?? found;
  return found;
}

function weightsIn(names: ReadonlySet<string>): string[] {
  if (names.has(weightsName)) return [weightsName];
  const shards = [...names].flatMap((name) => {
    const [, number, count] = shardPattern.exec(name) ?? [];
    return number && count ? [{ name, number: Number(number), count: Number(count) }] : [];
  });
  const [first] = shards;
  if (!first || !names.has(indexName)) return [];
  const own = shards.filter(({ count }) => count === first.count);
  return own.length === first.count ? own.map(({ name }) => name).sort() : [];
}

function incomplete(
  { path, links = [] }: Pick<AdapterDirectory, 'path' | 'links'>,
  names: ReadonlySet<string>,
  lacks: readonly string[],
): AixclError {
  const pickle = [...names].find((name) => /^adapter_model.*\.bin$/.test(name));
  const link = lacks.find((name) => links.includes(name));
  if (link) {
    return new AixclError(
      'verification',
      `${quoted(path)} is no whole adapter: ${link} is a link, and what it leads to would not be kept`,
      { hint: `Name a copy that has the files themselves: cp -rL ${shellWord(path)} COPY` },
    );
  }
  const isAre = lacks.length === 1 && !lacks[0]!.startsWith('the ') ? 'is' : 'are';
  const why = pickle
    ? `; ${pickle} is a pickle, which runs code when it is loaded, and counts for nothing`
    : '';
  return new AixclError(
    'verification',
    `${quoted(path)} is no whole adapter: ${lacks.join(' and ')} ${isAre} missing${why}`,
    {
      hint: pickle
        ? 'Save the adapter as safetensors: model.save_pretrained(DIR, safe_serialization=True)'
        : `An adapter is ${configName} with ${weightsName}, or a GGUF file.`,
    },
  );
}

const number = z.number().nullish().catch(null);
const text = z.string().nullish().catch(null);
const configSchema = z.looseObject({
  peft_type: text,
  r: number,
  lora_alpha: number,
  use_rslora: z.boolean().nullish().catch(null),
  base_model_name_or_path: text,
});

async function readConfig(
  directory: AdapterDirectory,
): Promise<Pick<AdapterFacts, 'method' | 'rank' | 'alpha' | 'rankStabilized' | 'base'>> {
  const config = configSchema.safeParse(await readJson(directory, configName));
  if (!config.success) throw damaged(directory, configName, 'it is no JSON object');
  const { peft_type, r, lora_alpha, use_rslora, base_model_name_or_path } = config.data;
  return {
    method: peft_type ?? null,
    rank: r ?? null,
    alpha: lora_alpha ?? null,
    rankStabilized: use_rslora === true,
    base: base_model_name_or_path || null,
  };
}

async function checkWeights(directory: AdapterDirectory, path: string): Promise<number> {
  try {
    return (await directory.read(path, readSafetensors)).tensors.length;
  } catch (error) {
    if (error instanceof SafetensorsProblem) throw damaged(directory, path, error.message, error);
    throw error;
  }
}

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** Each tensor that the index names has to lie in the shard that it names. */
async function checkIndex(directory: AdapterDirectory, names: ReadonlySet<string>): Promise<void> {
  const index = indexSchema.safeParse(await readJson(directory, indexName));
  if (!index.success) throw damaged(directory, indexName, 'it has no weight_map');
  const held = new Map<string, ReadonlySet<string>>();
  for (const [tensor, shard] of Object.entries(index.data.weight_map)) {
    if (!names.has(shard)) throw damaged(directory, indexName, `${shard}, which it names, is missing`);
    if (!held.has(shard)) {
      const { tensors } = await directory.read(shard, readSafetensors);
      held.set(shard, new Set(tensors.map(({ name }) => name)));
    }
    if (!held.get(shard)?.has(tensor)) throw damaged(directory, shard, `it lacks the tensor ${tensor}`);
  }
}

async function readJson(directory: AdapterDirectory, path: string): Promise<unknown> {
  const content = await directory.read(path, async (source) => {
    if (source.size > largestConfig) throw damaged(directory, path, 'it is too large');
    return Buffer.from(await source.read(0, source.size)).toString('utf8');
  });
  try {
    return JSON.parse(content.replace(/^\uFEFF/, ''));
  } catch {
    throw damaged(directory, path, 'it is no JSON');
  }
}

function damaged(
  { path }: Pick<AdapterDirectory, 'path'>,
  name: string,
  why: string,
  cause?: unknown,
): AixclError {
  return new AixclError('verification', `${quoted(name)} of ${quoted(path)} is damaged: ${why}`, {
    hint: 'Get the file again from where it came from.',
    cause,
  });
}
