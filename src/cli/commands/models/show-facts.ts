import { modelsDirectoryAt } from '../../../adapters/models-directory/directory.ts';
import { findModel } from '../../../models/find-model.ts';
import type { KeptModel } from '../../../models/keeper.ts';
import { parseModelName } from '../../../models/model-name.ts';
import { fullFacts } from '../../../models/ollama/facts.ts';
import type { OllamaModel } from '../../../models/ollama/kept.ts';
import {
  type Described,
  describeGguf,
  describeOllama,
  recordsOf,
} from '../../../wiring/models/describe-model.ts';
import type { Context } from '../../context.ts';

/** What `models show` says of a model, beyond what a list does. */
export interface ShownFacts {
  readonly described: Described;
  readonly title: string | null;
  readonly contextLength: number | null;
  readonly chatTemplate: string | null;
  readonly license: string | null;
  /** llama-server's own; none of Ollama's. */
  readonly arguments: readonly string[];
  readonly files: readonly ShownFile[];
}

export interface ShownFile {
  readonly path: string;
  readonly size: number;
  /** `weights`, `projector` or `other`; of Ollama what its manifest calls it: `model`, `template`, … */
  readonly use: string;
  /** 64 hex digits, where it is known. */
  readonly sha256: string | null;
  readonly source: string | null;
  readonly sharedWith: readonly string[];
}

export async function ggufFacts({ home }: Context, name: string): Promise<ShownFacts> {
  const directory = modelsDirectoryAt(home.models);
  const model = await findModel(directory, parseModelName(name));
  const [activation, records] = await Promise.all([directory.activation(), recordsOf(model, directory)]);
  return {
    described: await describeGguf(model, activation, directory),
    title: model.summary?.title ?? null,
    contextLength: model.summary?.contextLength ?? null,
    chatTemplate: model.summary?.chatTemplate ?? null,
    license: model.summary?.license ?? null,
    arguments: await directory.readArguments(model.name),
    files: model.files.map((file, index) => ({
      ...file,
      sha256: records[index]?.sha256 ?? null,
      source: records[index]?.source ?? null,
      sharedWith: [],
    })),
  };
}

export async function ollamaFacts(context: Context, kept: KeptModel): Promise<ShownFacts> {
  const { ollamaOf } = await import('../../../wiring/ollama.ts');
  const { store } = await ollamaOf(context);
  const model = kept as OllamaModel;
  const { manifest } = model.stored;
  const facts = manifest
    ? await fullFacts(store, manifest)
    : { architecture: null, parameters: null, quantization: null };
  const all = manifest ? [...manifest.layers, ...(manifest.config ? [manifest.config] : [])] : [];
  const uses = new Map(all.map(({ digest, mediaType }) => [digest as string, mediaType]));
  return {
    described: describeOllama(model, facts),
    title: null,
    contextLength: 'contextLength' in facts ? facts.contextLength : null,
    chatTemplate: 'template' in facts ? facts.template : null,
    license: 'license' in facts ? facts.license : null,
    arguments: [],
    files: model.files.map(({ path, size, digest, sharedWith }) => ({
      path,
      size,
      use: useOf(path, uses.get(digest ?? '')),
      sha256: digest?.replace(/^sha256:/, '') ?? null,
      source: null,
      sharedWith,
    })),
  };
}

function useOf(path: string, mediaType: string | undefined): string {
  if (path.startsWith('manifests/')) return 'manifest';
  const kind = /^application\/vnd\.ollama\.image\.([a-z]+)/.exec(mediaType ?? '')?.[1];
  return kind ?? (mediaType?.includes('container.image') ? 'config' : 'other');
}
