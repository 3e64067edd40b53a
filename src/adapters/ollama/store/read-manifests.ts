import { type OllamaManifest, parseManifest } from '../../../models/ollama/manifest.ts';
import { nameFromPath } from '../../../models/ollama/name.ts';
import type { StoredManifest } from '../../../models/ollama/store.ts';
import { largestManifest } from './layout.ts';

/** A file at the depth of manifests, as it was found. */
export interface FoundManifest {
  /** Below `manifests/`. */
  readonly path: string;
  readonly modified: Date;
  /** Null when it was not read, for the reason in `problem`. */
  readonly content: Uint8Array | null;
  readonly problem?: string;
}

/** Undefined for a file whose path is no model's name, which Ollama passes over too. */
export function storedManifest({
  path,
  modified,
  content,
  problem,
}: FoundManifest): StoredManifest | undefined {
  const name = nameFromPath(path);
  if (!name) return undefined;
  const parsed = content ? parsedManifest(content) : (problem ?? 'it can not be read');
  const manifest = typeof parsed === 'string' ? null : parsed;
  return {
    name,
    path,
    content: content ?? new Uint8Array(),
    ...(!content && { unread: true }),
    manifest,
    problem: typeof parsed === 'string' ? parsed : null,
    modified,
  };
}

function parsedManifest(content: Uint8Array): OllamaManifest | string {
  if (content.length > largestManifest) return tooLarge;
  return parseManifest(Buffer.from(content).toString('utf8'));
}

export const tooLarge = 'it is larger than a manifest can be';

export function byPath(a: StoredManifest, b: StoredManifest): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
