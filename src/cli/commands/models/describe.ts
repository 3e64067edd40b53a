import {
  type Activation,
  activeModel,
  type ModelStanding,
  standingOf,
} from '../../../models/active-model.ts';
import type { FileRecord, Model } from '../../../models/model.ts';
import type { ModelsDirectory } from '../../../models/models-directory.ts';

/** A `model` object as `--format json` prints it (docs/commands.md). Sizes in bytes, an unknown value is null. */
export interface ModelObject {
  readonly name: string;
  readonly runtime: 'llama-server';
  readonly size: number;
  /** `sha256:…` of a model of one file, where it is recorded. */
  readonly digest: string | null;
  readonly quantization: string | null;
  readonly parameters: number | null;
  /** ISO 8601, UTC. */
  readonly modified: string;
  readonly active: boolean;
  readonly source: 'unique' | 're-pullable' | null;
  readonly damaged: boolean;
  readonly lastBackup: string | null;
  readonly architecture: string | null;
  /** `model`, `embedding`, `projector`, `adapter` or `other`. */
  readonly role: string | null;
  readonly standing: ModelStanding;
  /** Why it is damaged. */
  readonly damage: string | null;
}

export async function describeModel(
  model: Model,
  activation: Activation,
  directory: ModelsDirectory,
): Promise<ModelObject> {
  const records = await recordsOf(model, directory);
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
    source: sourceOf(records),
    damaged: model.damage !== null,
    lastBackup: null,
    architecture: model.summary?.architecture ?? null,
    role: model.summary?.role ?? null,
    standing: standingOf(model.name, activation),
    damage: model.damage,
  };
}

/** What is recorded of each file of a model, in the order of its files. */
export async function recordsOf(
  model: Model,
  directory: ModelsDirectory,
): Promise<(FileRecord | undefined)[]> {
  return await Promise.all(model.files.map((file) => directory.recordOf(file)));
}

/** Re-pullable only when every byte is known to come from somewhere; unique when some are known not to. */
function sourceOf(records: readonly (FileRecord | undefined)[]): ModelObject['source'] {
  if (records.length === 0 || records.includes(undefined)) return null;
  return records.every((record) => record?.source) ? 're-pullable' : 'unique';
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
