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

const digest = z
  .string()
  // Files may be named with a dash, manifests with a colon; Ollama takes both.
  .transform((text) => text.replace(/^sha256-/, 'sha256:').toLowerCase())
  .refine(isDigest, 'is no sha256 digest')
  .transform((text) => text as Digest);
const layer = z.object({ mediaType: z.string(), digest, size: z.int().nonnegative() });
const schema = z.object({ config: layer, layers: z.array(layer) });

/** Reads a manifest file; answers a string, the reason, when it can't be used. */
export function parseManifest(text: string): OllamaManifest | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text === '' ? 'it is empty' : 'it is not whole JSON';
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return `${issue?.path.join('.') || 'it'}: ${issue?.message}`;
}

/** Every blob once, as one may stand in a manifest twice. */
export function blobsOf({ config, layers }: OllamaManifest): OllamaLayer[] {
  const all = config ? [...layers, config] : [...layers];
  return [...new Map(all.map((each) => [each.digest, each])).values()];
}
