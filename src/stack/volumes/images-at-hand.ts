import type { StackDefinition } from '../definition/types.ts';
import type { ContainerSummary } from '../engine.ts';

/** What people have on an engine for such ends, where nothing of the stack serves. */
const small = ['busybox', 'alpine', 'debian'];

/**
 * References and ids of images that are likely to be here and to have a shell, for containers of ours that are no services: those of `first`
 * before Ollama's own, then those of the other services, and of whatever else stands on the engine.
 */
export function imagesAtHand(
  { services }: Pick<StackDefinition, 'services'>,
  {
    first = [],
    containers = [],
  }: { first?: readonly string[]; containers?: readonly ContainerSummary[] } = {},
): string[] {
  const own = ['ollama', 'llama-server'].flatMap((name) => services.get(name)?.image ?? []);
  const all = [...services.values()].map(({ image }) => image);
  return [...new Set([...first, ...own, ...all, ...containers.map(({ imageId }) => imageId), ...small])];
}
