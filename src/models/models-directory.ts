import type { ActivationRequest } from './activation.ts';
import type { Activation } from './active-model.ts';
import type { FileRecord, Model, ModelFile, UnusableFile } from './model.ts';
import type { ModelName } from './model-name.ts';

/**
 * The port to the directory of GGUF models. Nothing here needs an engine. Nothing outside the directory is opened,
 * wherever a link in it leads. Writes throw `AixclError`: `noSpace`, or `refused` where the directory can't be written.
 */
export interface ModelsDirectory {
  readonly path: string;
  /** Every model with its structure checked, by name; a directory that is not there holds none. */
  list(): Promise<{ models: Model[]; unusable: UnusableFile[] }>;
  find(name: ModelName): Promise<Model | undefined>;
  activation(): Promise<Activation>;
  writeRequest(request: ActivationRequest): Promise<void>;
  /** llama-server's own arguments for a model, in order; none when it has none. */
  readArguments(name: ModelName): Promise<string[]>;
  writeArguments(name: ModelName, args: readonly string[]): Promise<void>;
  /** What is recorded of these bytes; undefined when nothing is, or the file changed since. */
  recordOf(file: ModelFile): Promise<FileRecord | undefined>;
}
