import { labels } from '../labels.ts';
import { configHash } from './container-spec.ts';
import type { ServiceDefinition, StackDefinition } from './definition/types.ts';
import type { Observed } from './observe.ts';
import type { Match } from './recreate/container-ref.ts';

/** Why a container of ours no longer fits its definition; undefined when it does. */
export function driftOf(
  definition: StackDefinition,
  observed: Observed,
  service: ServiceDefinition,
  { container }: Match,
): string | undefined {
  const recorded = container.labels[labels.hash];
  if (recorded === undefined) {
    return 'it was not made by aixcl (by docker compose, say), so nothing says what it was made from';
  }
  const reference = container.labels[labels.image] ?? container.image;
  const image = observed.images.get(service.image);
  if (!image && reference !== service.image) return `its image changed from ${reference} to ${service.image}`;
  // An image whose name was taken away (`docker rmi -f`) still runs in the container that was made from it.
  const imageId = image?.id ?? container.imageId;
  if (recorded === configHash(definition, service, imageId, observed.scripts)) return undefined;
  if (imageId === container.imageId) return 'its definition or a script that it mounts changed';
  return reference === service.image
    ? `${service.image} is another image now`
    : `its image changed from ${reference} to ${service.image}`;
}
