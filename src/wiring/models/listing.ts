import { modelsDirectoryAt } from '../../adapters/models-directory/directory.ts';
import { AixclError } from '../../errors.ts';
import { lastBackups } from '../../models/last-backups.ts';
import { briefFacts } from '../../models/ollama/facts.ts';
import type { Runtime } from '../../models/source.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { Subject } from '../../vault/subject.ts';
import { sourcesOf } from '../sources.ts';
import type { Surroundings } from '../surroundings.ts';
import { vaultOf } from '../vault.ts';
import { type Described, describeGguf, describeOllama, type ModelObject } from './describe-model.ts';

export interface Listing {
  readonly models: readonly Described[];
  /** What is to be said beside the models. */
  readonly warnings: readonly string[];
}

/** Every GGUF model, from the disk alone. */
export async function ggufListing({ home }: Surroundings): Promise<Listing> {
  const directory = modelsDirectoryAt(home.models);
  const [{ models, unusable }, activation] = await Promise.all([directory.list(), directory.activation()]);
  return {
    models: await Promise.all(models.map((model) => describeGguf(model, activation, directory))),
    warnings: [...unusable.map(({ name, why }) => `${name} is not shown: ${why}`), ...activation.problems],
  };
}

/** Every model of Ollama, from its store, whether or not it runs. */
async function ollamaListing(context: Surroundings): Promise<Listing> {
  const { ollamaOf } = await import('../ollama.ts');
  const { keeper, store } = await ollamaOf(context);
  const described: Described[] = [];
  for (const model of await keeper.list()) {
    const { manifest } = model.stored;
    const facts = manifest
      ? await briefFacts(store, manifest)
      : { architecture: null, parameters: null, quantization: null };
    described.push(describeOllama(model, facts));
  }
  return { models: described, warnings: [] };
}

/** Models of both runtimes, or of one. That one of two can't be read is a warning. */
export async function listing(context: Surroundings, runtime: Runtime | undefined): Promise<Listing> {
  const ollama = runtime === 'llama-server' ? nothing : ollamaListing(context);
  const gguf = runtime === 'ollama' ? nothing : ggufListing(context);
  const both = await Promise.all([runtime === undefined ? unlessRefused(ollama) : ollama, gguf]);
  return {
    models: both.flatMap(({ models }) => models),
    warnings: both.flatMap(({ warnings }) => warnings),
  };
}

const nothing: Promise<Listing> = Promise.resolve({ models: [], warnings: [] });

async function unlessRefused(ollama: Promise<Listing>): Promise<Listing> {
  try {
    return await ollama;
  } catch (error) {
    if (!(error instanceof AixclError) || error.code === 'interrupted' || error.code === 'terminated') {
      throw error;
    }
    return { models: [], warnings: [`Ollama's models are not shown: ${error.message}`] };
  }
}

/** Adds what is not on the models' disk: when each was saved, and whether its source has it still. `deadline` null: nobody is asked. */
export async function complete(
  context: Surroundings,
  described: readonly Described[],
  { snapshots, deadline }: { readonly snapshots: readonly Snapshot[]; readonly deadline: number | null },
): Promise<ModelObject[]> {
  const last = lastBackups(snapshots);
  const origins = described.map(({ origin }) => origin);
  const states = deadline === null ? undefined : await sourcesOf(context, origins, deadline);
  return described.map(({ object }, index) => ({
    ...object,
    source: states?.[index] ?? null,
    lastBackup: last(subjectOf(object))?.toISOString() ?? null,
  }));
}

export function subjectOf({ runtime, name }: Pick<ModelObject, 'runtime' | 'name'>): Subject {
  return { runtime, name };
}

/** All snapshots; none, with a warning, where the vault can't be read. */
export async function snapshotsIn(context: Surroundings): Promise<readonly Snapshot[]> {
  try {
    return (await vaultOf(context).contents()).snapshots;
  } catch (error) {
    if (!(error instanceof AixclError)) throw error;
    context.out.warn(`Backups are not shown: ${error.message}`);
    return [];
  }
}
