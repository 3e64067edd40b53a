import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { adapterDirectory } from '../adapters/folders/adapter-directory.ts';
import { type EvolutionFolder, readEvolution } from '../adapters/folders/evolution-folder.ts';
import type { KeptFolder } from '../adapters/folders/kept-folder.ts';
import {
  findTrainingData,
  recordTrainingData,
  type TrainingInput,
} from '../adapters/folders/training-data.ts';
import { AixclError, systemCode } from '../errors.ts';
import { type AdapterFacts, inspectAdapter, inspectGgufAdapter } from '../models/adapter.ts';
import { parseLooseJson } from '../models/evolution/loose-json.ts';
import { type Found, shownSubject } from '../models/find-kept.ts';
import { quoted } from '../models/model-name.ts';
import type { TrainingFile } from '../models/version-facts.ts';
import { backUp } from '../vault/save.ts';
import type { Snapshot } from '../vault/snapshot.ts';
import type { Source, Subject } from '../vault/subject.ts';
import { evolutionFolder, factsUnderAdapter, underAdapter } from '../vault/version-files.ts';
import { baseModel } from './base-model.ts';
import { locate } from './locate.ts';
import type { Work } from './operation.ts';
import { readableContents } from './readable-vault.ts';
import type { Surroundings } from './surroundings.ts';
import { vaultOf } from './vault.ts';
import { working } from './working.ts';

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
  readonly metrics: { readonly value: unknown; readonly text: string } | null;
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

/** True when its bytes are not those that were added: somebody wrote over them, or the disk did. */
export async function wasWrittenOver({ keeper, model }: Found): Promise<boolean> {
  if (keeper.runtime !== 'llama-server') return false;
  const source = await keeper.open(model);
  await source[Symbol.asyncDispose]();
  return source.files.some(({ digest, proven }) => digest !== null && !proven);
}

async function inspect({ home }: Surroundings, { model }: Found): Promise<AdapterFacts | null> {
  switch (model.subject.runtime) {
    case 'directory': {
      const { root, file } = model as KeptFolder;
      const directory = adapterDirectory(root, model);
      const [only] = model.files;
      return file && only ? await inspectGgufAdapter(directory, only.path) : await inspectAdapter(directory);
    }
    case 'llama-server': {
      const [only, ...more] = model.files;
      if (!only || more.length > 0 || model.subject.name !== only.path) return null;
      return await inspectGgufAdapter(adapterDirectory(home.models, model), only.path);
    }
    default:
      return null;
  }
}

/** An id names one version: of two runtimes' models with one name, the first to have versions has the name. */
export async function assertOwnName(context: Surroundings, subject: Subject): Promise<void> {
  const { snapshots } = await readableContents(vaultOf(context));
  const other = snapshots.find(
    (each) =>
      each.kind === 'version' &&
      each.subject.name === subject.name &&
      each.subject.runtime !== subject.runtime,
  );
  if (!other) return;
  throw new AixclError(
    'refused',
    `${quoted(subject.name)} of ${other.subject.runtime} has versions, which would be called the same`,
    { hint: `aixcl versions list ${subject.name}` },
  );
}

function assertPlace({ model }: Found): void {
  if (model.subject.runtime === 'directory') return;
  const own = model.files.find(({ path }) => path.startsWith(`${evolutionFolder}/`));
  if (!own) return;
  throw new AixclError(
    'usage',
    `${quoted(model.subject.name)} has a folder ${evolutionFolder} of its own, which the version keeps`,
    { hint: 'Leave --evolution out.' },
  );
}

const largestMetrics = 16 * 2 ** 20;

async function readMetrics(path: string): Promise<NonNullable<PlannedVersion['metrics']>> {
  const no = (why: string) =>
    new AixclError('usage', `the metrics ${quoted(path)} can't be used: ${why}`, {
      hint: '--metrics FILE: one JSON document',
    });
  let text: string;
  try {
    if ((await stat(path)).size > largestMetrics) throw no('the file is larger than 16 MiB');
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new AixclError('notFound', `there is no file ${quoted(path)}`, { hint: `ls -la ${path}` });
    }
    if (code === 'EISDIR') throw no('it is a folder');
    throw error;
  }
  try {
    const value = parseLooseJson(text);
    // What can't be written can't be kept: nested some thousands deep.
    JSON.stringify(value);
    return { value, text };
  } catch (error) {
    throw no(error instanceof RangeError ? 'it is nested too deeply' : 'it is no JSON');
  }
}

function damaged({ model }: Found, why: string): AixclError {
  const { subject } = model;
  return new AixclError('verification', `${shownSubject(subject)} is damaged, and makes no version: ${why}`, {
    hint:
      subject.runtime === 'directory'
        ? `ls -la ${join(subject.name)}`
        : `aixcl models verify ${subject.name} --repair`,
  });
}
