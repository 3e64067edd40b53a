import { AixclError } from '../../errors.ts';
import { composeLabels, labels } from '../../labels.ts';
import type { ContainerSummary } from '../engine.ts';
import { isFailed } from './set-aside.ts';

/** By what a container was found (promise P7). */
export type MatchedBy = 'labels' | 'name' | 'prefix';

export interface Match {
  readonly container: ContainerSummary;
  readonly matchedBy: MatchedBy;
}

/** What a service's containers are recognised by. */
export interface ServiceIdentity {
  readonly project: string;
  readonly service: string;
  /** The name that its container should carry. */
  readonly containerName: string;
}

/**
 * Every container that may be this service's: those with its labels; else the one of its exact name; else those of its name behind
 * one or more of Compose's `<12 hex>_` prefixes. Never by substring. A container of another project or service is nobody's candidate
 * here, whatever its name.
 */
export function matches(identity: ServiceIdentity, containers: readonly ContainerSummary[]): Match[] {
  const labelled = containers
    .filter((container) => carriesLabels(identity, container))
    .map((container): Match => ({ container, matchedBy: 'labels' }));
  return labelled.every(({ container }) => isBesideForeign(container, containers))
    ? [...labelled, ...foreign(identity, containers)]
    : labelled;
}

/** It was made to take the place of a container that someone started by hand, and has not: that one may still be the service's. */
function isBesideForeign(container: ContainerSummary, all: readonly ContainerSummary[]): boolean {
  if (container.state !== 'created' && !isFailed(container)) return false;
  return all.some((other) => other.id === container.labels[labels.replaces] && !belongsToOther(other));
}

function foreign(identity: ServiceIdentity, containers: readonly ContainerSummary[]): Match[] {
  const unclaimed = containers.filter((container) => !belongsToOther(container));
  const named = unclaimed.filter((container) => container.name === identity.containerName);
  if (named.length > 0) return named.map((container) => ({ container, matchedBy: 'name' }));

  return unclaimed
    .filter((container) => hasHashPrefix(container.name, identity.containerName))
    .map((container) => ({ container, matchedBy: 'prefix' }));
}

/** Whether it carries the labels of this stack; otherwise it only has the name, and someone else made it. */
export function isOurs(match: Match): boolean {
  return match.matchedBy === 'labels';
}

function carriesLabels(identity: ServiceIdentity, container: ContainerSummary): boolean {
  return (
    container.labels[composeLabels.project] === identity.project &&
    container.labels[composeLabels.service] === identity.service &&
    isOfTheStack(container)
  );
}

/** Neither a `compose run` one-off nor a helper or guard of ours. */
function isOfTheStack(container: ContainerSummary): boolean {
  return container.labels[composeLabels.oneoff] !== 'True' && !isNoService(container);
}

function belongsToOther(container: ContainerSummary): boolean {
  return container.labels[composeLabels.project] !== undefined || isNoService(container);
}

function isNoService({ labels: own }: ContainerSummary): boolean {
  return own[labels.operation] !== undefined || own[labels.guard] !== undefined;
}

/** Whether `name` is `wanted` behind prefixes as Compose makes them: 12 hex digits of the old container's id, and `_`. */
export function hasHashPrefix(name: string, wanted: string): boolean {
  if (!name.endsWith(wanted)) return false;
  return /^([0-9a-f]{12}_)+$/.test(name.slice(0, -wanted.length));
}

/**
 * Whether `replacement` was made in the place of `old`: by us, who note its id; by Compose 2, which notes its name, and puts the id before
 * that; by Compose 1, which puts the old one's own id before its name and gives the new one the name itself.
 */
export function replaces(replacement: ContainerSummary, old: ContainerSummary): boolean {
  const prefix = `${old.id.slice(0, 12)}_`;
  return (
    replacement.labels[labels.replaces] === old.id ||
    replacement.name.startsWith(prefix) ||
    replacement.labels[composeLabels.replace] === old.name ||
    old.name === prefix + replacement.name
  );
}

/** `why`: what stands against choosing, a sentence each. */
export function ambiguous(
  identity: ServiceIdentity,
  found: readonly Match[],
  why: readonly string[] = [],
): AixclError {
  const names = found.map((match) => match.container.name);
  return new AixclError(
    'refused',
    [
      `${found.length} containers could be ${identity.service}: ${names.join(', ')}; aixcl does not choose between them`,
      ...why,
    ].join('; '),
    {
      hint: `Look at them (docker inspect ${names.join(' ')}), stop and rename or remove the one that is not needed, then: aixcl service restart ${identity.service}`,
      evidence: found.map(({ container }) => shown(container)),
    },
  );
}

function shown({ id, name, image, status, mounts }: ContainerSummary): string {
  const keeps = mounts.map(({ name: volume, source, target }) => `${volume ?? source ?? ''} at ${target}`);
  return [id.slice(0, 12), name, image, status, keeps.join(', ') || 'nothing mounted'].join('  ');
}
