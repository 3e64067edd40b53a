import type { ContainerSummary } from '../engine.ts';

/**
 * The marks of a redeploy. Labels can't be changed, so the name carries them, with the container's own id: nobody else's name is taken for
 * one. A container whose restart policy a redeploy took away always carries a mark.
 */
type Named = Pick<ContainerSummary, 'id' | 'name'>;

/** Name of the container that served before, from the moment that it is replaced until the new one is healthy. */
export function asideName(name: string, id: string): string {
  return `${name}.aside-${shortId(id)}`;
}

export function isAside({ id, name }: Named): boolean {
  return name.endsWith(asideName('', id));
}

/** Name of a new container that did not become healthy, until it is removed. It never serves again. */
export function failedName(name: string, id: string): string {
  return `${name}.failed-${shortId(id)}`;
}

export function isFailed({ id, name }: Named): boolean {
  return name.endsWith(failedName('', id));
}

/** Name of a container that is made to replace that of this id, while both are there: of the form that Compose gives. */
export function besideName(name: string, replacedId: string): string {
  return `${shortId(replacedId)}_${name}`;
}

function shortId(id: string): string {
  return id.slice(0, 12);
}
