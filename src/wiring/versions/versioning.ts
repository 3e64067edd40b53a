import { type EvolutionFolder, readEvolution } from '../../adapters/folders/evolution-folder.ts';
import { type Metrics, readMetrics } from '../../adapters/folders/metrics-file.ts';
import {
  findTrainingData,
  recordTrainingData,
  type TrainingInput,
} from '../../adapters/folders/training-data.ts';
import { AixclError } from '../../errors.ts';
import type { AdapterFacts } from '../../models/adapter.ts';
import type { Found } from '../../models/find-kept.ts';
import { quoted } from '../../models/model-name.ts';
import type { TrainingFile } from '../../models/version-facts.ts';
import { backUp } from '../../vault/save.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { Source } from '../../vault/subject.ts';
import { evolutionFolder, factsUnderAdapter, underAdapter } from '../../vault/version-files.ts';
import { locate } from '../models/locate.ts';
import type { Work } from '../operation.ts';
import type { Surroundings } from '../surroundings.ts';
import { working } from '../working.ts';
import { baseModel } from './base-model.ts';
import { assertOwnName, assertPlace, damaged, inspect } from './subject.ts';

declare const AIXCL_VERSION: string;

export interface VersionWish {
  /** What the user wrote, or what was found for it. */
  readonly subject: string | Found;
  readonly runtime?: 'ollama' | 'llama-server' | undefined;
  readonly description: string;
  /** Paths as the user wrote them. */
  readonly trainingData?: readonly string[];
  readonly metrics?: string | undefined;
  readonly evolution?: string | undefined;
  /** The model that it was trained on, or derived from. */
  readonly base?: string | undefined;
}

/** A version that is to be made: all that is known of it before anything is written. */
export interface PlannedVersion {
  readonly found: Found;
  readonly description: string;
  readonly adapter: AdapterFacts | null;
  readonly training: readonly TrainingInput[];
  readonly metrics: Metrics | null;
  readonly evolution: EvolutionFolder | null;
  readonly base: string | null;
  /** Bytes of its files, evolution and all. */
  readonly size: number;
}

/**
 * Looks at all that a version is to be made of; changes nothing and hashes nothing. Throws `verification` for a damaged model or an adapter that is
 * not whole, `notFound` and `usage` for records that can't be had.
 */
export async function observeVersion(context: Surroundings, wish: VersionWish): Promise<PlannedVersion> {
  if (wish.description.trim() === '') {
    throw new AixclError('usage', 'a version has a description, so that it can be told from the others', {
      hint: '--description TEXT',
    });
  }
  const found =
    typeof wish.subject === 'string' ? await locate(context, wish.subject, wish.runtime) : wish.subject;
  const { model } = found;
  if (model.damage !== null) throw damaged(found, model.damage);
  await assertOwnName(context, model.subject);
  const adapter = await inspect(context, found);
  const training = await findTrainingData(wish.trainingData ?? []);
  const metrics = wish.metrics === undefined ? null : await readMetrics(wish.metrics);
  const evolution = wish.evolution === undefined ? null : await readEvolution(wish.evolution);
  if (evolution) assertPlace(found);
  return {
    found,
    description: wish.description,
    adapter,
    training,
    metrics,
    evolution,
    base: wish.base ?? null,
    size: model.size + (evolution?.size ?? 0),
  };
}

/** What was recorded beside the files, hashed. To be had before the vault is held, as it may take long. */
export interface VersionRecords {
  readonly trainingData: readonly TrainingFile[];
  readonly baseModel: { readonly name: string; readonly digest: string | null } | null;
}

export async function recordFor(context: Surroundings, planned: PlannedVersion): Promise<VersionRecords> {
  const { training, adapter, base } = planned;
  const size = training.reduce((sum, file) => sum + file.size, 0);
  const trainingData = await working(context, 'Hashing training data', size, (options) =>
    recordTrainingData(training, options),
  );
  return { trainingData, baseModel: await baseModel(context, base, adapter?.base ?? null) };
}

/** Saves it under the next number, under the vault's lock. `unlessThere`: as for `backUp`. */
export async function makeVersion(
  context: Surroundings,
  { found, ...about }: PlannedVersion,
  records: VersionRecords,
  work: Work,
  unlessThere = false,
): Promise<Snapshot> {
  const own = await found.keeper.open(found.model);
  try {
    return await saveVersion(context, own, about, records, work, unlessThere);
  } finally {
    await own[Symbol.asyncDispose]();
  }
}

/** As `makeVersion`, of files that no keeper has yet. */
export async function saveVersion(
  context: Surroundings,
  own: Source,
  about: Omit<PlannedVersion, 'found' | 'base'>,
  records: VersionRecords,
  { operation, writer }: Work,
  unlessThere = false,
): Promise<Snapshot> {
  const { description, size } = about;
  const { name } = own.subject;
  await operation.step('version', name, description.split('\n', 1)[0] ?? '');
  const source = versionSource(own, about, records);
  return await working(context, `Saving ${quoted(name)}`, size, (options) =>
    backUp(source, {
      ...options,
      writer,
      backupType: null,
      reason: description,
      operation: operation.id,
      created: new Date(),
      recheck: false,
      unlessThere,
    }),
  );
}

function versionSource(
  own: Source,
  { adapter, metrics, evolution }: Pick<PlannedVersion, 'adapter' | 'metrics' | 'evolution'>,
  records: VersionRecords,
): Source {
  const inFolder = own.subject.runtime === 'directory';
  const { base: _base, ...aboutAdapter } = adapter ?? { base: null };
  const files = own.files.map((file) => ({
    ...file,
    path: inFolder ? underAdapter(file.path) : file.path,
    // It is to be kept as it is now, whatever was added once; what Ollama has is called by its bytes.
    ...(own.subject.runtime !== 'ollama' && !file.proven && { digest: null }),
  }));
  return {
    subject: own.subject,
    files: [
      ...files,
      ...(evolution?.files ?? []).map((file) => ({ ...file, path: `${evolutionFolder}/${file.path}` })),
    ],
    folders: (own.folders ?? []).map((path) => (inFolder ? underAdapter(path) : path)),
    facts: {
      ...(inFolder ? factsUnderAdapter(own.facts) : own.facts),
      ...(own.subject.runtime === 'llama-server' && { expected: {} }),
      tool: `aixcl ${typeof AIXCL_VERSION === 'undefined' ? '(not built)' : AIXCL_VERSION}`,
      adapter: adapter && aboutAdapter,
      ...records,
      metrics: metrics?.value ?? null,
      metricsText: metrics?.text ?? null,
      evolution: evolution && {
        files: evolution.files.length,
        size: evolution.size,
        metrics: evolution.metrics,
      },
    },
    async assertUnchanged() {
      await own.assertUnchanged();
      await evolution?.assertUnchanged();
    },
    async [Symbol.asyncDispose]() {},
  };
}
