import type { ContainerSummary, MountSpec } from '../engine.ts';

/** How an engine names a volume that nobody named. */
export const anonymousName = /^[0-9a-f]{64}$/;

/** The mounts, with the anonymous volumes of the old container in place of new, empty ones: taken along, as Compose does. */
export function withInheritedVolumes(
  mounts: readonly MountSpec[],
  old: Pick<ContainerSummary, 'mounts'>,
): MountSpec[] {
  const isAnonymous = (mount: MountSpec) => mount.kind === 'volume' && mount.name === undefined;
  const named = mounts.filter((mount) => !isAnonymous(mount));
  const taken = new Set(named.map(({ target }) => target));
  const inherited = old.mounts.flatMap((mount): MountSpec[] =>
    mount.kind === 'volume' && anonymousName.test(mount.name ?? '') && !taken.has(mount.target)
      ? [{ kind: 'volume', name: mount.name ?? '', target: mount.target, readOnly: false, noCopy: false }]
      : [],
  );
  const held = new Set(inherited.map(({ target }) => target));
  return [...named, ...inherited, ...mounts.filter((mount) => isAnonymous(mount) && !held.has(mount.target))];
}
