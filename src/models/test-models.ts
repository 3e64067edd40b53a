import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { GgufValue } from './gguf/format.ts';
import { writeGguf } from './gguf/write.ts';
import { selfTestModel } from './self-test-model.ts';

/** GGUF models that tests need and users never meet; each throws `EEXIST` when its name is taken. */

/**
 * A self-test model in two shards, `STEM-00001-of-00002.gguf` and the second, in `folder`, which is made. Keys as `llama-gguf-split` writes
 * them. Answers the paths of both.
 */
export async function writeSplitModel(folder: string, stem: string, sentence?: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const { metadata, tensors } = selfTestModel(sentence);
  const half = Math.ceil(tensors.length / 2);
  const paths = [1, 2].map((number) => join(folder, `${stem}-0000${number}-of-00002.gguf`));
  for (const [number, path] of paths.entries()) {
    const keys = new Map<string, GgufValue>(number === 0 ? metadata : []);
    keys.set('split.no', { type: 'uint16', value: number });
    keys.set('split.count', { type: 'uint16', value: 2 });
    keys.set('split.tensors.count', { type: 'int32', value: tensors.length });
    await writeGguf(path, keys, number === 0 ? tensors.slice(0, half) : tensors.slice(half));
  }
  return paths;
}

/** A GGUF that every check of structure passes and llama-server refuses: a tensor of its architecture is missing. */
export async function writeUnloadableModel(path: string): Promise<void> {
  const { metadata, tensors } = selfTestModel();
  await writeGguf(
    path,
    metadata,
    tensors.filter((tensor) => tensor.name !== 'output_norm.weight'),
  );
}

/** A model of another architecture (`clip`, `bert`, …): refused as a model to serve. */
export async function writeModelOf(architecture: string, path: string): Promise<void> {
  const { metadata, tensors } = selfTestModel();
  metadata.set('general.architecture', { type: 'string', value: architecture });
  await writeGguf(path, metadata, tensors);
}
