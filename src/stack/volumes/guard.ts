import { labels } from '../../labels.ts';
import { bareContainer } from '../bare-container.ts';
import type { ContainerSpec, ContainerSummary, ImageDetail } from '../engine.ts';

/**
 * The guard: a container that does nothing but run and hold volumes, so that no clean-up of the engine takes them. It carries no label of
 * Compose's (`compose down` would remove it, and the volumes with it), and is known by its labels, never by its name alone.
 */
export const guardName = 'aixcl-guard';

/** The guards of this home; an interrupted change leaves two. */
export function guardsOf(containers: readonly ContainerSummary[], home: string): ContainerSummary[] {
  return containers.filter((one) => isGuard(one) && one.labels[labels.home] === home);
}

export function isGuard(container: ContainerSummary): boolean {
  return container.labels[labels.guard] !== undefined;
}

/** Names of the volumes that a container mounts, whether it runs or not. */
export function mountedVolumes({ mounts }: ContainerSummary): string[] {
  return mounts.flatMap(({ kind, name }) => (kind === 'volume' && name ? [name] : []));
}

export interface GuardWish {
  /** AIXCL_HOME. */
  readonly home: string;
  /** Volumes that have to be held. What a guard holds already stays held. */
  readonly hold: readonly string[];
  /** Volumes that no guard is to hold any longer. */
  readonly letGo?: readonly string[];
  /** Ids of images: a guard on any other is replaced. Else it would keep an image that nothing else needs from being removed. */
  readonly onlyOn?: readonly string[] | undefined;
}

/** What has to be done, in this order: nothing is removed before one that holds all runs. */
export interface GuardPlan {
  /** The one that stays. `volumes`: one that holds all of these has yet to be made. Undefined: there is nothing to hold. */
  readonly stays: { readonly guard: ContainerSummary } | { readonly volumes: readonly string[] } | undefined;
  /** It is there and does not run. */
  readonly start: boolean;
  readonly remove: readonly ContainerSummary[];
  /** It does not have the name of a guard yet. False where somebody else has that. */
  readonly rename: boolean;
}

export function planGuard(containers: readonly ContainerSummary[], wish: GuardWish): GuardPlan {
  const guards = guardsOf(containers, wish.home);
  const letGo = new Set(wish.letGo);
  const wanted = new Set(
    [...guards.flatMap(mountedVolumes), ...wish.hold].filter((name) => !letGo.has(name)),
  );
  if (wanted.size === 0) return { stays: undefined, start: false, remove: guards, rename: false };
  const fits = (one: ContainerSummary) =>
    holdsJust(one, wanted, letGo) && (wish.onlyOn?.includes(one.imageId) ?? true);
  const [guard] = guards.filter(fits).sort(byStanding);
  if (!guard) {
    return {
      stays: { volumes: [...wanted].sort() },
      start: false,
      remove: guards,
      rename: nameIsFree(containers, wish.home),
    };
  }
  return {
    stays: { guard },
    start: guard.state !== 'running',
    remove: guards.filter((one) => one !== guard),
    rename: guard.name !== guardName && nameIsFree(containers, wish.home),
  };
}

/** Whether a guard may be called so: nobody is, or an older guard. */
export function nameIsFree(containers: readonly ContainerSummary[], home: string): boolean {
  const guards = guardsOf(containers, home);
  return !containers.some((one) => one.name === guardName && !guards.includes(one));
}

function holdsJust(
  guard: ContainerSummary,
  wanted: ReadonlySet<string>,
  letGo: ReadonlySet<string>,
): boolean {
  const mounted = new Set(mountedVolumes(guard));
  return [...wanted].every((name) => mounted.has(name)) && ![...letGo].some((name) => mounted.has(name));
}

function byStanding(a: ContainerSummary, b: ContainerSummary): number {
  const standing = ({ state, name, created }: ContainerSummary) =>
    (state === 'running' ? 2 : 0) + (name === guardName ? 1 : 0) + created / 1e12;
  return standing(b) - standing(a);
}

/** True where the plan changes nothing. */
export function isSettled({ stays, start, remove, rename }: GuardPlan): boolean {
  return (stays === undefined || 'guard' in stays) && !start && remove.length === 0 && !rename;
}

/** The running guard that holds a volume. */
export function guardHolding(
  containers: readonly ContainerSummary[],
  volume: string,
): ContainerSummary | undefined {
  return containers.find(
    (one) => isGuard(one) && one.state === 'running' && mountedVolumes(one).includes(volume),
  );
}

/** How a guard's process is run; what an image or an engine can't do is done without. */
export interface GuardVariant {
  readonly user: string;
  readonly init: boolean;
}

export const guardVariants: readonly GuardVariant[] = [
  { user: '65534:65534', init: true },
  // An image whose root folder is closed to others.
  { user: '0:0', init: true },
  // An engine without an init of its own.
  { user: '65534:65534', init: false },
];

/** Seconds: 68 years. */
const forEver = '2147483647';

export function guardSpec(
  home: string,
  volumes: readonly string[],
  image: ImageDetail,
  { user, init }: GuardVariant,
): ContainerSpec {
  // Compose labels the images that it builds, and a container inherits what its image carries.
  const inherited = Object.keys(image.labels).filter((key) => key.startsWith('com.docker.compose.'));
  return bareContainer({
    image: image.tags[0] ?? image.id,
    seconds: forEver,
    labels: {
      ...Object.fromEntries(inherited.map((key) => [key, ''])),
      [labels.home]: home,
      [labels.guard]: volumes.join(','),
    },
    mounts: volumes.map((name) => ({
      kind: 'volume',
      name,
      target: `/held/${name}`,
      readOnly: true,
      noCopy: true,
    })),
    user,
    restart: { name: 'always' },
    capAdd: [],
    init,
  });
}
