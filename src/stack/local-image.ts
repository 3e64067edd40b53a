/** llama-server from Debian's packages, for machines where no image registry answers. Made on this machine: see adapters/debian. */
export const localLlamaImage = 'aixcl/llama-server:debian-sid';

/** True for an image that no registry has: it is built here, also after someone's prune took it. */
export function isLocallyBuilt(reference: string): boolean {
  return reference === localLlamaImage;
}
