import { AixclError } from '../errors.ts';

declare const brand: unique symbol;
/** `sha256:` and 64 lower-case hex digits: the name of a blob, as OCI and Ollama's manifests spell it. Safe to make a file name of. */
export type Digest = string & { readonly [brand]: 'Digest' };

export function isDigest(text: string): text is Digest {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}

/** `text` as a digest; throws `verification`, naming `where` it stood, when it is none. */
export function parseDigest(text: string, where: string): Digest {
  if (isDigest(text)) return text;
  throw new AixclError('verification', `${where} names ${JSON.stringify(text)}, which is no sha256 digest`);
}

export function digestOf(hex: string): Digest {
  return parseDigest(`sha256:${hex}`, 'A hash');
}

/** The 64 hex digits. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
