import { AixclError, reasonOf } from '../../errors.ts';
import { shellWord } from '../../shell-word.ts';
import type { Digest } from '../../vault/digest.ts';
import type { Snapshot } from '../../vault/snapshot.ts';
import type { Source, SourceFile } from '../../vault/subject.ts';
import type { WorkOptions } from '../../vault/vault.ts';
import type { VerifiedBackup } from '../../vault/verified-backup.ts';
import { GgufProblem } from '../gguf/header.ts';
import { inspectGguf } from '../gguf/inspect.ts';
import type { DamagedFile, Keeper, KeptModel, MendOptions, RestoreOptions } from '../keeper.ts';
import { blobTitle, digestOfBytes, keptModels, manifestTitle, type OllamaModel } from './kept.ts';
import { blobsOf, type OllamaLayer } from './manifest.ts';
import { type OllamaName, parseOllamaName, sameName } from './name.ts';
import type { OllamaRuntime } from './runtime.ts';
import type { OllamaStore, OpenBlobs, StoredBlob, StoredManifest } from './store.ts';

/** Ollama may change its store at any moment; what was read while it did is read again so many times. */
const attempts = 3;

export interface OllamaPlace {
  readonly store: OllamaStore;
  readonly api: OllamaRuntime;
  readonly signal: AbortSignal;
}

/** Models of Ollama: read from its store, removed through its API, put back into its store. */
export class OllamaKeeper implements Keeper {
  readonly runtime = 'ollama';
  readonly #place: OllamaPlace;

  constructor(place: OllamaPlace) {
    this.#place = place;
  }

  get #store(): OllamaStore {
    return this.#place.store;
  }

  async list(): Promise<readonly OllamaModel[]> {
    const { models, blobs } = await this.#look();
    if (this.#store.distant) return models;
    const checked: OllamaModel[] = [];
    for (const model of models) checked.push(await this.#withStructure(model, blobs));
    return checked;
  }

  async find(name: string): Promise<OllamaModel | undefined> {
    const wanted = nameOf(name);
    if (!wanted) return undefined;
    const { models, blobs } = await this.#look();
    const found = models.find(({ stored }) => sameName(stored.name, wanted));
    return found && (await this.#withStructure(found, blobs));
  }

  async #look(): Promise<{ models: OllamaModel[]; blobs: Blobs }> {
    const manifests = await this.#store.manifests();
    const blobs = await this.#store.blobs();
    const models = keptModels(manifests, blobs);
    return { models: models.sort((a, b) => (a.subject.name < b.subject.name ? -1 : 1)), blobs };
  }

  /** A model's weights have the size that they should have; are they weights? Asked of what was never hashed alone. */
  async #withStructure(model: OllamaModel, blobs: Blobs): Promise<OllamaModel> {
    if (model.damage !== null) return model;
    for (const layer of model.stored.manifest?.layers ?? []) {
      if (blobs.get(layer.digest)?.proven) continue;
      const damage = await structureProblem(this.#store, layer);
      if (damage !== null) return { ...model, damage: `${blobTitle(layer.digest)}: ${damage}` };
    }
    return model;
  }

  async open(model: KeptModel, options: { readonly partial: boolean } = { partial: false }): Promise<Source> {
    const path = pathOf(model);
    for (let attempt = 1; ; attempt++) {
      const before = await this.#manifestAt(path);
      if (!before) throw gone(model);
      let opened: Opened | undefined;
      let failure: unknown;
      try {
        opened = await this.#openFiles(before, options.partial);
      } catch (error) {
        failure = error;
      }
      if (sameContent(before, await this.#manifestAt(path))) {
        if (!opened) throw failure;
        return this.#source(model, before, opened);
      }
      await opened?.blobs[Symbol.asyncDispose]();
      if (attempt === attempts) throw changed(model);
    }
  }

  async #openFiles({ manifest, problem, unread, path }: StoredManifest, partial: boolean): Promise<Opened> {
    if (!manifest && !partial) {
      throw new AixclError('verification', `${manifestTitle(path)} can't be used: ${problem}`, {
        hint: 'aixcl models verify --repair',
      });
    }
    if (unread) {
      throw new AixclError('refused', `${manifestTitle(path)} can't be saved: ${problem}`, {
        hint: `ls -l ${shellWord(`${this.#store.place}/${manifestTitle(path)}`)}`,
      });
    }
    const wanted = manifest ? blobsOf(manifest) : [];
    if (!partial) return { blobs: await this.#store.open(wanted), missing: [] };
    const there = await this.#store.blobs(wanted.map(({ digest }) => digest));
    const found = wanted.filter(({ digest }) => there.has(digest));
    return {
      blobs: await this.#store.open(found.map(({ digest }) => ({ digest, size: null }))),
      missing: wanted.filter(({ digest }) => !there.has(digest)).map(({ digest }) => blobTitle(digest)),
    };
  }

  #source(model: KeptModel, stored: StoredManifest, { blobs, missing }: Opened): Source {
    const sizes = new Map(
      (stored.manifest ? blobsOf(stored.manifest) : []).map(({ digest, size }) => [digest, size]),
    );
    const manifest: SourceFile = {
      path: manifestTitle(stored.path),
      size: stored.content.length,
      digest: digestOfBytes(stored.content),
      proven: true,
      bytes: { kind: 'memory', content: stored.content },
    };
    // What has another size than its name's bytes is kept as what it is.
    const files = blobs.files.map((file) =>
      file.digest && sizes.get(file.digest) !== file.size ? { ...file, digest: null, proven: false } : file,
    );
    return {
      subject: model.subject,
      files: [manifest, ...files],
      facts: {
        manifest: stored.path,
        ...(missing.length > 0 && { missing }),
      },
      assertUnchanged: async () => {
        if (!sameContent(stored, await this.#manifestAt(stored.path))) throw changed(model);
        await blobs.assertUnchanged();
      },
      [Symbol.asyncDispose]: () => blobs[Symbol.asyncDispose](),
    };
  }

  space(): Promise<{ readonly free: number; readonly total: number } | null> {
    return this.#store.space();
  }

  async verify(model: KeptModel, options: WorkOptions): Promise<readonly DamagedFile[]> {
    const stored = await this.#manifestAt(pathOf(model));
    if (!stored) throw gone(model);
    if (!stored.manifest) {
      const path = manifestTitle(stored.path);
      return [{ path, digest: null, why: `it can't be used: ${stored.problem}` }];
    }
    const layers = blobsOf(stored.manifest);
    const there = await this.#store.blobs(layers.map(({ digest }) => digest));
    const problems = new Map<Digest, string>();
    const whole: OllamaLayer[] = [];
    for (const layer of layers) {
      const size = there.get(layer.digest)?.size;
      if (size === layer.size) whole.push(layer);
      else problems.set(layer.digest, size === undefined ? 'it is missing' : cutText(size, layer.size));
    }
    const opened = await this.#store.open(whole);
    try {
      let done = 0;
      for (const layer of whole) {
        const onProgress = (bytes: number) => options.onProgress?.(done + bytes);
        const found = await opened.hash(layer.digest, { signal: options.signal, onProgress });
        if (found !== layer.digest) problems.set(layer.digest, `its bytes hash to ${found}`);
        done += layer.size;
        options.onProgress?.(done);
      }
    } finally {
      await opened[Symbol.asyncDispose]();
    }
    for (const layer of whole) {
      if (problems.has(layer.digest)) continue;
      const why = await structureProblem(this.#store, layer);
      if (why !== null) problems.set(layer.digest, why);
    }
    return [...problems].map(([digest, why]) => ({ path: blobTitle(digest), digest, why }));
  }

  async remove(model: KeptModel, proof: VerifiedBackup): Promise<void> {
    const { removeModel } = await import('./remove.ts');
    await removeModel(this.#place, pathOf(model), model, proof);
  }

  async restore(snapshot: Snapshot, options: RestoreOptions): Promise<void> {
    const { restoreModel } = await import('./restore.ts');
    await restoreModel(this.#store, snapshot, options);
  }

  async mend(model: KeptModel, damaged: DamagedFile, options: MendOptions): Promise<void> {
    const { mendFile } = await import('./mend.ts');
    await mendFile(this.#store, model, damaged, options);
  }

  async #manifestAt(path: string): Promise<StoredManifest | undefined> {
    return (await this.#store.manifests()).find((each) => each.path === path);
  }
}

function cutText(size: number, wanted: number): string {
  return `it has ${size} of ${wanted} bytes`;
}

type Blobs = ReadonlyMap<Digest, StoredBlob>;

interface Opened {
  readonly blobs: OpenBlobs;
  readonly missing: readonly string[];
}

/** Layers that hold weights as GGUF. */
const weights = new Set(['application/vnd.ollama.image.model', 'application/vnd.ollama.image.projector']);

/** Why a layer of weights can't be loaded, by its header alone; null when nothing is seen to be wrong with it. */
async function structureProblem(store: OllamaStore, layer: OllamaLayer): Promise<string | null> {
  if (!weights.has(layer.mediaType)) return null;
  const source = await store.peek(layer.digest);
  if (!source) return null;
  try {
    await inspectGguf(source, { thorough: false });
    return null;
  } catch (error) {
    if (!(error instanceof GgufProblem)) throw error;
    return `it is not a whole GGUF model: ${reasonOf(error)}`;
  } finally {
    await source[Symbol.asyncDispose]();
  }
}

/** Where the manifest of a model lies, below `manifests/`. */
function pathOf(model: KeptModel): string {
  const title = model.files.find(({ path }) => path.startsWith('manifests/'))?.path;
  if (title === undefined) throw new Error(`${model.subject.name} has no manifest`);
  return title.slice('manifests/'.length);
}

function nameOf(text: string): OllamaName | undefined {
  try {
    return parseOllamaName(text);
  } catch (error) {
    if (error instanceof AixclError && error.code === 'usage') return undefined;
    throw error;
  }
}

function sameContent(a: StoredManifest, b: StoredManifest | undefined): boolean {
  return b !== undefined && Buffer.from(a.content).equals(b.content) && a.problem === b.problem;
}

function gone(model: KeptModel): AixclError {
  return new AixclError('notFound', `${model.subject.name} is no longer in Ollama's store`, {
    hint: 'aixcl models list',
  });
}

function changed(model: KeptModel): AixclError {
  return new AixclError('verification', `Ollama changed ${model.subject.name} while it was read`, {
    hint: 'Let Ollama finish what it does, then run the command again.',
  });
}
