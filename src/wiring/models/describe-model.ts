import { type Activation, activeModel, type ModelStanding, standingOf } from '../../models/active-model.ts';
import type { FileRecord, Model } from '../../models/model.ts';
import type { ModelsDirectory } from '../../models/models-directory.ts';
import type { BriefFacts } from '../../models/ollama/facts.ts';
import type { OllamaModel } from '../../models/ollama/kept.ts';
import { blobsOf } from '../../models/ollama/manifest.ts';
import type { Runtime } from '../../models/source.ts';
import { addresses, type Origin, type SourceState } from '../../models/sources.ts';

/** A `model` object as `--format json` prints it (docs/commands.md). Sizes in bytes, an unknown value is null. */
export interface ModelObject {
  readonly name: string;
  readonly runtime: Runtime;
  readonly size: number;
  /** `sha256:…`: of a GGUF of one file, where it is recorded; of an Ollama model that of its manifest, which `ollama list` shows the begin of. */
  readonly digest: string | null;
  readonly quantization: string | null;
  readonly parameters: number | null;
  /** ISO 8601, UTC. */
  readonly modified: string;
  readonly active: boolean;
  /** Null: not asked. */
  readonly source: SourceState | null;
  readonly damaged: boolean;
  /** ISO 8601, UTC: when it was last saved whole. */
  readonly lastBackup: string | null;
  readonly architecture: string | null;
  /** `model`, `embedding`, `projector`, `adapter` or `other`; null of Ollama's. */
  readonly role: string | null;
  readonly standing: ModelStanding;
  /** Why it is damaged. */
  readonly damage: string | null;
}

/** A model as it stands on the disk, before anyone was asked where it came from or when it was saved. */
export interface Described {
  readonly object: ModelObject;
  readonly origin: Origin;
}

export async function describeGguf(
  model: Model,
  activation: Activation,
  directory: ModelsDirectory,
): Promise<Described> {
  const records = await recordsOf(model, directory);
  const files = model.files.map(({ size }, index) => ({
    source: records[index]?.source,
    size,
    sha256: records[index]?.sha256 ?? null,
  }));
  return { object: ggufObject(model, activation, records), origin: addresses(files) };
}

/** `records`: as `recordsOf` answers them. */
export function ggufObject(
  model: Model,
  activation: Activation,
  records: readonly (FileRecord | undefined)[],
): ModelObject {
  const [only] = records;
  return {
    name: model.name,
    runtime: 'llama-server',
    size: model.size,
    digest: model.files.length === 1 && only ? `sha256:${only.sha256}` : null,
    quantization: model.summary?.quantization ?? null,
    parameters: model.summary?.parameters ?? null,
    modified: model.modified.toISOString(),
    active: activeModel(activation) === model.name,
    source: null,
    damaged: model.damage !== null,
    lastBackup: null,
    architecture: model.summary?.architecture ?? null,
    role: model.summary?.role ?? null,
    standing: standingOf(model.name, activation),
    damage: model.damage,
  };
}

export function describeOllama(model: OllamaModel, facts: BriefFacts): Described {
  const { manifest, name } = model.stored;
  const object: ModelObject = {
    name: model.subject.name,
    runtime: 'ollama',
    size: model.size,
    digest: model.files[0]?.digest ?? null,
    quantization: facts.quantization,
    parameters: facts.parameters,
    modified: model.modified.toISOString(),
    active: false,
    source: null,
    damaged: model.damage !== null,
    lastBackup: null,
    architecture: facts.architecture,
    role: null,
    standing: null,
    damage: model.damage,
  };
  const origin: Origin = manifest
    ? { kind: 'registry', name, blobs: blobsOf(manifest) }
    : { kind: 'nowhere' };
  return { object, origin };
}

/** What is recorded of each file of a model, in the order of its files. */
export async function recordsOf(
  model: Model,
  directory: ModelsDirectory,
): Promise<(FileRecord | undefined)[]> {
  return await Promise.all(model.files.map((file) => directory.recordOf(file)));
}

/** Weights as people count them: `135M`, `7.2B`. */
export function parameterText(count: number | null): string {
  if (count === null || count === 0) return '-';
  for (const [size, unit] of [
    [1e12, 'T'],
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'K'],
  ] as const) {
    if (count >= size) return `${Number((count / size).toPrecision(count / size >= 100 ? 3 : 2))}${unit}`;
  }
  return String(count);
}
