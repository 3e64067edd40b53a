import { labels } from '../../labels.ts';
import type { ContainerSummary } from '../engine.ts';
import {
  ambiguous,
  hasHashPrefix,
  isOurs,
  type Match,
  matches,
  replaces,
  type ServiceIdentity,
} from './container-ref.ts';
import { type DefinedData, keepsDefinedData, ownData } from './own-data.ts';
import { isAside, isFailed } from './set-aside.ts';

/** What becomes of the containers of one service, of which an interrupted recreate, ours or Compose's, may have left several. */
export interface Mended {
  /** The service's container; it gets the service's name, and keeps its volumes. Undefined: there is none. */
  readonly stays: Match | undefined;
  /** They don't run, and hold nothing that nothing else holds. They go before `stays` gets its name: one of them may bear it. */
  readonly goes: readonly { readonly match: Match; readonly because: string }[];
  /**
   * A redeploy of ours that was interrupted: the one set aside, and the one that was made to replace it. Neither is in `stays` or `goes`;
   * `replacement` is undefined when it was removed meanwhile.
   */
  readonly redeploy: { readonly old: Match; readonly replacement: Match | undefined } | undefined;
}

/**
 * Decides it: the one that runs stays; else the one that fits the definition, else of those that ever ran the newest, for it is the way
 * back. Throws `refused`, showing all of them, where it is not clear: several run, another one holds data of its own, or one of them is
 * from no recreate. `fits`: made from the definition as it is now. `defined`: what that mounts.
 */
export function mend(
  identity: ServiceIdentity,
  found: readonly Match[],
  fits: (match: Match) => boolean,
  defined: DefinedData = { mounts: new Map(), modelsPath: undefined },
): Mended {
  const old = found.find(isSetAside);
  const givenUp = old ? [] : found.filter(({ container }) => isFailed(container));
  const accounted = (match: Match) => match === old || givenUp.includes(match);
  const unused = found.filter((match) => !accounted(match) && isUnused(match, found));
  const rest = found.filter((match) => !accounted(match) && !unused.includes(match));
  const chosen = choose(identity, rest, fits);
  if (!chosen && rest.length > 0) throw ambiguous(identity, found, whyUnclear(identity, found));
  const staying = [old, chosen].flatMap((match) => (match ? [match.container] : []));
  const others = rest.filter((match) => match !== chosen);
  const obstacles = others.flatMap((match) => obstacleTo(identity, match, found, staying, defined));
  if (obstacles.length > 0) throw ambiguous(identity, found, obstacles);
  const goes = [
    ...givenUp.map((match) => ({ match, because: 'it did not become healthy, and was given up' })),
    ...[...unused, ...others].map((match) => ({ match, because: whyGone(match) })),
  ];
  return old
    ? { stays: undefined, goes, redeploy: { old, replacement: chosen } }
    : { stays: chosen, goes, redeploy: undefined };
}

/** A replacement of ours that never ran, beside the one that it was to replace: it holds nothing, whatever it mounts. */
function isUnused(match: Match, found: readonly Match[]): boolean {
  const replaced = match.container.labels[labels.replaces];
  return (
    isOurs(match) && neverRan(match.container) && found.some(({ container }) => container.id === replaced)
  );
}

/** What stands against removing it. */
function obstacleTo(
  identity: ServiceIdentity,
  match: Match,
  found: readonly Match[],
  staying: readonly ContainerSummary[],
  defined: DefinedData,
): string[] {
  const { container } = match;
  if (runs(container)) return [`${container.name} runs`];
  if (!isOfRecreate(identity, match, found)) return [`${container.name} is from no interrupted recreate`];
  const replacement = found.some((other) => replaces(container, other.container));
  const own = ownData(container, staying, defined, replacement);
  return own.length > 0 ? [`${container.name} alone holds ${own.join(' and ')}`] : [];
}

/**
 * The one container of a service, for what only looks at it or stops it, or undefined: the one that `mend` would keep as far as can be told
 * without the definition. Throws `refused` where none can be chosen.
 */
export function theOne(
  identity: ServiceIdentity,
  containers: readonly ContainerSummary[],
): Match | undefined {
  const found = matches(identity, containers);
  const chosen = choose(identity, found, () => false);
  if (!chosen && found.length > 0) throw ambiguous(identity, found, whyUnclear(identity, found));
  return chosen;
}

/** Whether a recreate of it was interrupted: several stand, or one under a name that only a recreate gives. */
export function isInterrupted(identity: ServiceIdentity, found: readonly Match[]): boolean {
  const [only] = found;
  if (!only || !isOurs(only)) return false;
  return found.length > 1 || hasHashPrefix(only.container.name, identity.containerName) || isMarked(only);
}

/** Under a name that only a recreate gives, stopped, and with nothing but the service's own data: nobody loses by its adoption. */
export function isStray({ container, matchedBy }: Match, defined: DefinedData): boolean {
  return matchedBy === 'prefix' && !runs(container) && keepsDefinedData(container, defined);
}

/** Undefined where there is none, or where none can be chosen. */
export function choose(
  identity: ServiceIdentity,
  found: readonly Match[],
  fits: (match: Match) => boolean = () => false,
): Match | undefined {
  const standing = found.filter(({ container }) => !isFailed(container));
  if (standing.length === 1 || found.length < 2) return standing[0] ?? found[0];
  if (!found.every((match) => isOfRecreate(identity, match, found))) return undefined;
  const running = found.filter(({ container }) => runs(container));
  if (running.length > 1) return undefined;
  const ranks = [
    running,
    found.filter(fits),
    found.filter(({ container }) => !neverRan(container)),
    found.filter((match) => !found.some((other) => replaces(match.container, other.container))),
    found,
  ];
  return newest(ranks.find((rank) => rank.length > 0) ?? []);
}

/** Nothing else gives several containers of one service such names: one of any other name was made by hand, or by `--scale`. */
function isOfRecreate(identity: ServiceIdentity, match: Match, found: readonly Match[]): boolean {
  if (!isOurs(match)) return false;
  const { container } = match;
  return (
    container.name === identity.containerName ||
    hasHashPrefix(container.name, identity.containerName) ||
    isMarked(match) ||
    found.some((other) => replaces(container, other.container) || replaces(other.container, container))
  );
}

/** By a redeploy of ours. */
function isMarked({ container }: Match): boolean {
  return isAside(container) || isFailed(container);
}

function isSetAside(match: Match): boolean {
  return isOurs(match) && isAside(match.container);
}

function newest(some: readonly Match[]): Match | undefined {
  // Seconds decide nothing between two that a tool made at once; an engine lists the newest first.
  return [...some].sort((a, b) => b.container.created - a.container.created)[0];
}

function whyUnclear(identity: ServiceIdentity, found: readonly Match[]): string[] {
  const running = found.filter(({ container }) => runs(container));
  if (running.length > 1) return [`${running.map(({ container }) => container.name).join(' and ')} run`];
  return found
    .filter((match) => isOurs(match) && !isOfRecreate(identity, match, found))
    .map(({ container }) => `${container.name} is from no interrupted recreate`);
}

function whyGone({ container }: Match): string {
  return neverRan(container)
    ? 'an interrupted recreate left it behind; it never ran'
    : 'an interrupted recreate left it behind; it does not run, and holds nothing of its own';
}

function neverRan({ state }: ContainerSummary): boolean {
  return state === 'created';
}

function runs({ state }: ContainerSummary): boolean {
  return state === 'running' || state === 'restarting' || state === 'paused';
}
