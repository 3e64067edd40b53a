import { labels } from '../labels.ts';
import type { ImageDetail } from './engine.ts';

/**
 * llama-server and Node.js from Debian's packages, for machines where no image registry answers: llama-server's image, and what the page is built
 * on. Made on this machine: see adapters/debian.
 */
export const localLlamaImage = 'aixcl/llama-server:debian-sid';

/** How it says that it was made (label `io.aixcl.built`); what earlier versions made had no Node.js. */
export const localBuild = 'debian-sid-nodejs';

/** True for an image that no registry has: it is built here, also after someone's prune took it. */
export function isLocallyBuilt(reference: string): boolean {
  return reference === localLlamaImage;
}

/** Whether it is here, as it is made now. */
export function isLocalImage(found: ImageDetail | undefined): boolean {
  return found?.labels[labels.built] === localBuild;
}
