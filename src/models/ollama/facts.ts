import { z } from 'zod';
import type { ByteSource } from '../gguf/byte-source.ts';
import { GgufProblem, readHeader } from '../gguf/header.ts';
import { type GgufSummary, summarize } from '../gguf/summary.ts';
import type { OllamaLayer, OllamaManifest } from './manifest.ts';
import type { OllamaDetails } from './runtime.ts';
import type { OllamaStore } from './store.ts';

type Peeking = Pick<OllamaStore, 'peek'>;

/** What Ollama's config blob says of a model (server/images.go of ollama/ollama). */
const configSchema = z.object({
  model_family: z.string().min(1).nullable().catch(null),
  /** `3.2B`. */
  model_type: z.string().nullable().catch(null),
  /** `Q4_K_M`. */
  file_type: z.string().min(1).nullable().catch(null),
});

/** What a list shows of a model: from its config, and from the header of its weights where that says too little. */
export type BriefFacts = Pick<OllamaDetails, 'architecture' | 'parameters' | 'quantization'>;

/** Longest config, template or licence that is read, in bytes. */
const longest = 2 ** 20;

export async function briefFacts(store: Peeking, manifest: OllamaManifest): Promise<BriefFacts> {
  const text = manifest.config && (await textOf(store, manifest.config));
  const config = configSchema.safeParse(parsed(text)).data;
  const brief: BriefFacts = {
    architecture: config?.model_family ?? null,
    parameters: countIn(config?.model_type ?? null),
    quantization: config?.file_type === 'unknown' ? null : (config?.file_type ?? null),
  };
  if (Object.values(brief).every((value) => value !== null)) return brief;
  const summary = await summaryOf(store, manifest);
  return {
    architecture: brief.architecture ?? summary?.architecture ?? null,
    parameters: brief.parameters ?? summary?.parameters ?? null,
    quantization: brief.quantization ?? summary?.quantization ?? null,
  };
}

/** All that its files say of a model; exact where its weights say it. Works with Ollama stopped. */
export async function fullFacts(store: Peeking, manifest: OllamaManifest): Promise<OllamaDetails> {
  const brief = await briefFacts(store, manifest);
  const summary = await summaryOf(store, manifest);
  const texts = async (kind: string) => {
    const layers = manifest.layers.filter(({ mediaType }) => mediaType === layerType(kind));
    const found: string[] = [];
    for (const layer of layers) found.push((await textOf(store, layer)) ?? '');
    return found.join('\n\n').trim() || null;
  };
  return {
    ...brief,
    parameters: summary?.parameters || brief.parameters,
    contextLength: summary?.contextLength ?? null,
    template: (await texts('template')) ?? summary?.chatTemplate ?? null,
    license: (await texts('license')) ?? summary?.license ?? null,
  };
}

export function layerType(kind: string): string {
  return `application/vnd.ollama.image.${kind}`;
}

async function summaryOf(store: Peeking, manifest: OllamaManifest): Promise<GgufSummary | null> {
  const weights = manifest.layers.find(({ mediaType }) => mediaType === layerType('model'));
  if (!weights) return null;
  return await peeked(store, weights, async (source) => {
    try {
      return summarize(await readHeader(source));
    } catch (error) {
      if (error instanceof GgufProblem) return null;
      throw error;
    }
  });
}

async function textOf(store: Peeking, layer: OllamaLayer): Promise<string | null> {
  if (layer.size > longest) return null;
  return await peeked(store, layer, async (source) =>
    Buffer.from(await source.read(0, Math.min(source.size, longest))).toString('utf8'),
  );
}

async function peeked<T>(
  store: Peeking,
  { digest }: OllamaLayer,
  read: (source: ByteSource) => Promise<T>,
): Promise<T | null> {
  const source = await store.peek(digest);
  if (!source) return null;
  try {
    return await read(source);
  } finally {
    await source[Symbol.asyncDispose]();
  }
}

function parsed(text: string | null): unknown {
  try {
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `3.2B`, `135.5M`, as a number. */
export function countIn(text: string | null): number | null {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)([KMBT])$/i.exec(text ?? '') ?? [];
  const factor = { K: 1e3, M: 1e6, B: 1e9, T: 1e12 }[unit?.toUpperCase() ?? ''];
  return digits === undefined || factor === undefined ? null : Math.round(Number(digits) * factor);
}
