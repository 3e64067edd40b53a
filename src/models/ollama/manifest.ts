import { z } from 'zod';
import { type Digest, isDigest } from '../../vault/digest.ts';

/** What Ollama keeps of a model: which blobs it is made of (manifest/manifest.go of ollama/ollama). */
export interface OllamaManifest {
  readonly config: OllamaLayer | null;
  readonly layers: readonly OllamaLayer[];
}

export interface OllamaLayer {
  /** `application/vnd.ollama.image.model`, `….template`, `….params`, … */
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** As Ollama compares them when it deletes: letter by letter. It reads `sha256-…` and upper case too, and deletes what only those name. */
const digest = z
  .string()
  .refine(isDigest, 'is no sha256 digest')
  .transform((text) => text as Digest);
const text = z.string().nullish();
const layer = z.object({
  mediaType: text.transform((type) => type ?? ''),
  digest,
  size: z.int().nonnegative(),
  from: text,
  name: text,
});
/** What Ollama writes where a model has none. */
const noConfig = z.object({ digest: z.literal('').nullish(), size: z.literal(0).nullish() }).nullish();
const schema = z.object({
  schemaVersion: z.int().nullish(),
  mediaType: text,
  config: z.union([layer, noConfig.transform(() => null)]),
  layers: z
    .array(layer)
    .nullish()
    .transform((layers) => layers ?? []),
});

/**
 * Reads a manifest file; answers a string, the reason, when it can't be used. What this reads Ollama reads too: it deletes the blobs of
 * manifests that it can't read, and they must not count as shared with one (test/contract/ollama). So a field of a type that Ollama does
 * not take there is an error, though nothing here needs it.
 */
export function parseManifest(content: string): OllamaManifest | string {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    return content === '' ? 'it is empty' : 'it is not whole JSON';
  }
  // The same number here, and no whole one to Go.
  if (/"(size|schemaVersion)"\s*:\s*-?\d+[.eE]/.test(content))
    return 'a number in it is not written as a whole one';
  const parsed = schema.safeParse(value);
  if (parsed.success) {
    const { config, layers } = parsed.data;
    // Ollama would read it, for a model of nothing. What it named once is still there, and no longer protected by it.
    if (!config && layers.length === 0) return 'it names no blob';
    return { config: config && layerOf(config), layers: layers.map(layerOf) };
  }
  const [issue] = parsed.error.issues;
  return `${issue?.path.join('.') || 'it'}: ${issue?.message}`;
}

function layerOf({ mediaType, digest, size }: OllamaLayer): OllamaLayer {
  return { mediaType, digest, size };
}

/** Every blob once, as one may stand in a manifest twice. */
export function blobsOf({ config, layers }: OllamaManifest): OllamaLayer[] {
  const all = config ? [...layers, config] : [...layers];
  return [...new Map(all.map((each) => [each.digest, each])).values()];
}
