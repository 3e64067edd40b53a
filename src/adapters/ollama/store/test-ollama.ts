import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AixclError } from '../../../errors.ts';
import { digestOfBytes } from '../../../models/ollama/kept.ts';
import { blobsOf } from '../../../models/ollama/manifest.ts';
import { parseOllamaName, shownName } from '../../../models/ollama/name.ts';
import type { OllamaRuntime } from '../../../models/ollama/runtime.ts';
import type { OllamaStore } from '../../../models/ollama/store.ts';
import { hexOf } from '../../../vault/digest.ts';

const notHere = async (): Promise<never> => {
  throw new Error('not in this Ollama');
};

/** For tests: what Ollama's API does to a store in a folder. Whatever a test is about it replaces: `ollama.delete = …`. */
export class TestOllama implements OllamaRuntime {
  readonly address = 'http://test';
  readonly deleted: string[] = [];
  readonly #store: OllamaStore;

  constructor(store: OllamaStore) {
    this.#store = store;
  }

  version: OllamaRuntime['version'] = async () => '0.0.0';

  names: OllamaRuntime['names'] = async () => {
    const readable = (await this.#store.manifests()).filter(({ manifest }) => manifest);
    return readable.map(({ name }) => shownName(name));
  };

  digests: OllamaRuntime['digests'] = async () => {
    const readable = (await this.#store.manifests()).filter(({ manifest }) => manifest);
    return new Map(readable.map(({ name, content }) => [shownName(name), hexOf(digestOfBytes(content))]));
  };

  /** Takes the manifest, and every layer of it that no readable manifest needs (manifest/manifest.go of ollama/ollama). */
  delete: OllamaRuntime['delete'] = async (name) => {
    const wanted = shownName(parseOllamaName(name));
    const found = (await this.#store.manifests()).find((each) => shownName(each.name) === wanted);
    if (!found?.manifest) throw new AixclError('notFound', `Ollama has no model ${name}`);
    this.deleted.push(name);
    await rm(join(this.#store.place, 'manifests', found.path));
    const left = await this.#store.manifests();
    const needed = new Set(left.flatMap(({ manifest }) => (manifest ? blobsOf(manifest) : [])).map(digestOf));
    for (const { digest } of blobsOf(found.manifest)) {
      const path = join(this.#store.place, 'blobs', digest.replace(':', '-'));
      if (!needed.has(digest)) await rm(path, { force: true });
    }
  };

  list = notHere;
  show = notHere;
  copy = notHere;
  pull: OllamaRuntime['pull'] = () => {
    throw new Error('not in this Ollama');
  };
}

function digestOf({ digest }: { readonly digest: string }): string {
  return digest;
}
