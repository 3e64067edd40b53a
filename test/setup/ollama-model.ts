import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { manifestPath, parseOllamaName } from '../../src/models/ollama/name.ts';
import { writeNoisyModel } from './noisy-model.ts';

export interface ModelWish {
  /** Decides the weights: two models of one seed share their model layer. */
  readonly seed?: string;
  /** Bytes of noise among the weights, for a model that takes time. */
  readonly noise?: number;
  /** Null: no such layer. What is the same in two models is one blob. */
  readonly template?: string | null;
  readonly license?: string | null;
  readonly parameters?: Readonly<Record<string, unknown>> | null;
  /** Parameters and quantization, as Ollama tells them; absent: what the weights are. */
  readonly described?: readonly [parameters: string, quantization: string];
}

/** A model as Ollama keeps it. */
export interface OllamaModel {
  /** The file, byte for byte. */
  readonly manifest: Buffer;
  /** As `ollama list` has it: sha256 of the manifest, hex. */
  readonly digest: string;
  /** In the order of the manifest's layers, the config last. */
  readonly blobs: readonly ModelBlob[];
}

export interface ModelBlob {
  readonly mediaType: string;
  /** `sha256:…`. */
  readonly digest: string;
  readonly content: Buffer;
}

/** A model that loads, of some 0.3 MB: weights, template, licence, parameters and config. The same wish gives the same bytes. */
export async function ollamaModel({
  seed = 'tea',
  noise = 0,
  template = '{{ .Prompt }}',
  license = 'apache-2.0',
  parameters = { temperature: 0.5 },
  described = ['63K', 'F32'],
}: ModelWish = {}): Promise<OllamaModel> {
  const of = (kind: string) => `application/vnd.ollama.image.${kind}`;
  const layers = [blob(of('model'), await weights(seed, noise))];
  if (template !== null) layers.push(blob(of('template'), template));
  if (license !== null) layers.push(blob(of('license'), license));
  if (parameters !== null) layers.push(blob(of('params'), JSON.stringify(parameters)));
  const config = blob(
    'application/vnd.docker.container.image.v1+json',
    JSON.stringify({
      model_format: 'gguf',
      model_family: 'llama',
      model_families: ['llama'],
      model_type: described[0],
      file_type: described[1],
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
      config: descriptor(config),
      layers: layers.map(descriptor),
    }),
  );
  return { manifest, digest: sha256(manifest), blobs: [...layers, config] };
}

/**
 * Writes a model into a directory that Ollama has at `/root/.ollama`: `DIRECTORY/models/…`. Blobs that are there stay. Answers what it
 * wrote; with a model, that very one.
 */
export async function seedStore(
  directory: string,
  name: string,
  wish: ModelWish | OllamaModel = {},
): Promise<OllamaModel> {
  const model = 'blobs' in wish ? wish : await ollamaModel(wish);
  const blobs = join(directory, 'models', 'blobs');
  await mkdir(blobs, { recursive: true });
  for (const { digest, content } of model.blobs) {
    await writeFile(join(blobs, digest.replace(':', '-')), content, { flag: 'wx' }).catch((error) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
  const file = manifestFile(directory, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, model.manifest);
  return model;
}

/** Where the manifest of `name` lies in such a directory. */
export function manifestFile(directory: string, name: string): string {
  return join(directory, 'models', 'manifests', manifestPath(parseOllamaName(name)));
}

/** Where a blob lies there. `digest`: `sha256:…`. */
export function blobFile(directory: string, digest: string): string {
  return join(directory, 'models', 'blobs', digest.replace(':', '-'));
}

async function weights(seed: string, noise: number): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'aixcl-model-'));
  try {
    const path = join(folder, 'model.gguf');
    const sentence = `This is the model called ${seed}, made for tests.`;
    await writeNoisyModel(path, { sentence, seed, noise });
    return await readFile(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function blob(mediaType: string, content: string | Buffer): ModelBlob {
  const bytes = Buffer.from(content as Buffer);
  return { mediaType, digest: `sha256:${sha256(bytes)}`, content: bytes };
}

function descriptor({ mediaType, digest, content }: ModelBlob): object {
  return { mediaType, digest, size: content.length };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
