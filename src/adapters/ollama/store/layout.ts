import { type Digest, digestOf, hexOf } from '../../../vault/digest.ts';

/** Below Ollama's folder `models`: where it keeps what (manifest/paths.go of ollama/ollama). */
export const manifestsFolder = 'manifests';
export const blobsFolder = 'blobs';
/** Ours, beside the two: what is being written. Ollama looks at neither its name nor into it. */
export const stagingFolder = '.aixcl-staging';

/** A manifest has a few kilobytes; what is larger is none, and is not read. */
export const largestManifest = 4 * 2 ** 20;

export function blobName(digest: Digest): string {
  return `sha256-${hexOf(digest)}`;
}

/** Path below `models`, also that in a snapshot. */
export function blobPath(digest: Digest): string {
  return `${blobsFolder}/${blobName(digest)}`;
}

/** Undefined for partials and whatever else lies among the blobs. */
export function digestOfName(name: string): Digest | undefined {
  const hex = /^sha256-([0-9a-f]{64})$/.exec(name)?.[1];
  return hex === undefined ? undefined : digestOf(hex);
}
