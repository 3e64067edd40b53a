import type { ContainerSummary } from '../engine.ts';
import { folderBehind } from '../observe.ts';
import { guardHolding, mountedVolumes } from '../volumes/guard.ts';
import { concernsUs, type ObservedClean } from './observe-clean.ts';

/** Volumes that stay and that nothing holds once the containers are gone: what is in there counts as precious unless it is known not to. */
export function volumesLeftUnheld(seen: ObservedClean, asked: ReadonlySet<string>): string[] {
  const { volumes, contents, containers } = seen;
  return volumes
    .filter((volume) => concernsUs(volume, seen) && !asked.has(volume.name))
    .filter((volume) => folderBehind(volume) === undefined && contents.get(volume.name) !== 'disposable')
    .filter(({ name }) => !guardHolding(containers, name))
    .map(({ name }) => name)
    .sort();
}

/** Why a container has to stay that holds some of the volumes which nothing else can hold; undefined where it holds none. */
export function lastHolder(container: ContainerSummary, unheld: readonly string[]): string | undefined {
  const held = mountedVolumes(container).filter((name) => unheld.includes(name));
  return held.length > 0 ? `nothing else holds ${held.join(', ')}` : undefined;
}

/** Those that go themselves come last: a guard on one of them would keep it. */
export function imagesForGuard({ guardImages, images }: ObservedClean): string[] {
  const goes = (reference: string) => images.some(({ id }) => id === reference);
  return [...guardImages].sort((a, b) => Number(goes(a)) - Number(goes(b)));
}
