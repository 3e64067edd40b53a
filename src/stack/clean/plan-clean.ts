import { composeLabels, labels } from '../../labels.ts';
import type { Step } from '../../plan/step.ts';
import { isHelper } from '../bare-container.ts';
import { inDependencyOrder } from '../dependency-order.ts';
import type { ContainerSummary, ImageDetail, NetworkSummary, VolumeSummary } from '../engine.ts';
import { replaces } from '../recreate/container-ref.ts';
import { anonymousName } from '../recreate/inherited-volumes.ts';
import { isAside, isFailed } from '../recreate/set-aside.ts';
import { isGuard, mountedVolumes } from '../volumes/guard.ts';
import { DisposableVolume } from '../volumes/removable-volume.ts';
import type { VolumeContents } from '../volumes/volume-contents.ts';
import { askedVolume } from './asked-volume.ts';
import { imagesForGuard, lastHolder, volumesLeftUnheld } from './clean-holding.ts';
import {
  type AskedVolume,
  concernsUs,
  isOfProject,
  isOwnVolume,
  type ObservedClean,
  usersOf,
} from './observe-clean.ts';

/** Steps of `stack clean`, in the order in which they are taken. Sizes in bytes; null: not known. */
export type CleanStep = Step<{
  /** Before the containers go that hold them. `images`: that a guard may run on, the likeliest first. */
  'hold-volumes': { readonly volumes: readonly string[]; readonly images: readonly string[] };
  /** All in it goes into the vault, once nothing runs that uses it. */
  'save-volume': { readonly volume: VolumeSummary; readonly asked: AskedVolume };
  /** Stopped first where it runs. */
  'remove-container': { readonly container: ContainerSummary; readonly size: number | null };
  /** What a killed command left. */
  'remove-helper': { readonly container: ContainerSummary };
  /** The guard holds the others on. */
  'let-go': { readonly guard: ContainerSummary; readonly volume: VolumeSummary };
  /** With the proof that it is saved. */
  'remove-saved-volume': { readonly volume: VolumeSummary; readonly asked: AskedVolume };
  'remove-network': { readonly network: NetworkSummary };
  'remove-image': { readonly image: ImageDetail };
  'remove-volume': {
    readonly volume: VolumeSummary;
    readonly size: number | null;
    readonly disposable: DisposableVolume;
  };
  keep: {
    readonly what: 'container' | 'network' | 'image' | 'volume';
    readonly name: string;
    readonly size: number | null;
  };
}>;

/** `volumes`: names, given by `--volumes`. Throws `notFound` or `refused` for one that can't go; nothing goes then. */
export function planClean(seen: ObservedClean, wish: { readonly volumes: readonly string[] }): CleanStep[] {
  const place = { project: seen.definition.project, home: seen.home };
  const ours = seen.containers.filter(
    (one) => isOfProject(one.labels, place) && !isHelper(one) && !isGuard(one),
  );
  const staying = new Map<string, string>();
  for (const { id } of ours) {
    const models = seen.layerModels.get(id);
    if (models)
      staying.set(id, `models lie in the container itself, at ${models}, and nothing else has them`);
  }
  const anyGoes = ours.some(({ id }) => !staying.has(id));
  const unheld = anyGoes ? volumesLeftUnheld(seen, new Set(wish.volumes)) : [];
  const canHold = seen.guardImages.length > 0;
  for (const one of canHold ? [] : ours) {
    const because = lastHolder(one, unheld);
    if (because && !staying.has(one.id)) staying.set(one.id, `${because}; ${noImage}`);
  }
  const going = dependentsFirst(
    seen,
    ours.filter(({ id }) => !staying.has(id)),
  );
  const hold = canHold ? unheld : [];
  const asked = wish.volumes.map((name) => askedVolume(seen, name, going));
  return [
    ...holding(seen, hold),
    ...asked.map((each): CleanStep => ({ kind: 'save-volume', because: 'asked for by its name', ...each })),
    ...going.map((container) => containerStep(seen, container)),
    ...ours.flatMap((one) => {
      const because = staying.get(one.id);
      return because ? [keep('container', one.name, because)] : [];
    }),
    ...setAside(seen),
    ...helpers(seen),
    ...guards(seen, asked, hold),
    ...asked.map(
      (each): CleanStep => ({ kind: 'remove-saved-volume', because: 'all in it is saved by then', ...each }),
    ),
    ...networks(seen, going),
    ...images(seen, going),
    ...volumes(seen, going, new Set(wish.volumes)),
  ];
}

const noImage = 'no image is here that a guard could run on: docker pull busybox';

function holding(seen: ObservedClean, volumes: readonly string[]): CleanStep[] {
  if (volumes.length === 0) return [];
  const because = 'they stay, and nothing else would keep a clean-up of the engine from them';
  return [{ kind: 'hold-volumes', because, volumes, images: imagesForGuard(seen) }];
}

/** Those of services that the definition does not have come first: nobody depends on them. */
function dependentsFirst(
  { definition }: ObservedClean,
  containers: readonly ContainerSummary[],
): ContainerSummary[] {
  const order = inDependencyOrder([...definition.services.values()]).map(({ name }) => name);
  const rank = ({ labels: own }: ContainerSummary) => order.indexOf(own[composeLabels.service] ?? '');
  const last = order.length;
  const of = (one: ContainerSummary) => (rank(one) < 0 ? last : rank(one));
  return [...containers].sort((a, b) => of(b) - of(a));
}

function containerStep(
  { sizes, containers, definition }: ObservedClean,
  container: ContainerSummary,
): CleanStep {
  const halfMade = containers.some((other) => other.id !== container.id && replaces(container, other));
  const anew = 'the next start makes a new one by the definition';
  const because = isAside(container)
    ? `an interrupted redeploy set it aside; ${anew}`
    : halfMade || isFailed(container)
      ? `an interrupted redeploy made it; ${anew}`
      : `it is of the project ${definition.project}`;
  return { kind: 'remove-container', because, container, size: sizes.get(container.id) ?? null };
}

/** Made by hand, taken over by `--adopt`, kept since: what lies in its own layer lies nowhere else. */
function setAside({ containers, definition, sizes }: ObservedClean): CleanStep[] {
  const names = [...definition.services.values()].map(
    ({ containerName }) => `${containerName}.before-aixcl-`,
  );
  const found = containers.filter(({ name }) => names.some((start) => name.startsWith(start)));
  return found.map(({ id, name }) =>
    keep(
      'container',
      name,
      `aixcl did not make it, and set it aside when it was adopted; when nothing in it is needed: docker rm ${name}`,
      sizes.get(id),
    ),
  );
}

function helpers({ containers, home }: ObservedClean): CleanStep[] {
  return containers
    .filter((one) => isHelper(one) && one.labels[labels.home] === home)
    .map((container) => ({ kind: 'remove-helper', because: 'a command that was killed left it', container }));
}

function guards(
  { containers, home }: ObservedClean,
  asked: readonly { readonly volume: VolumeSummary }[],
  hold: readonly string[],
): CleanStep[] {
  const own = containers.filter((one) => isGuard(one) && one.labels[labels.home] === home);
  return own.flatMap((guard): CleanStep[] => {
    const held = [...new Set([...mountedVolumes(guard), ...hold])];
    const goes = asked.filter(({ volume }) => held.includes(volume.name));
    const stays = held.filter((name) => !goes.some(({ volume }) => volume.name === name));
    return [
      ...goes.map(
        ({ volume }): CleanStep => ({
          kind: 'let-go',
          because:
            stays.length > 0
              ? `it goes on holding ${stays.join(', ')}`
              : 'it has nothing else to hold, and goes',
          guard,
          volume,
        }),
      ),
      ...(stays.length > 0 && goes.length === 0
        ? [
            keep(
              'container',
              guard.name,
              `it holds ${stays.join(', ')}, so that no clean-up takes what is in there`,
            ),
          ]
        : []),
    ];
  });
}

function networks(
  { networks: all, containers, definition, home }: ObservedClean,
  going: readonly ContainerSummary[],
): CleanStep[] {
  const own = all.filter((network) => isOfProject(network.labels, { project: definition.project, home }));
  return own.sort(byName).map((network): CleanStep => {
    const member = containers.find((one) => !going.includes(one) && one.networks?.includes(network.name));
    if (member) return keep('network', network.name, `${member.name}, which stays, is in it`);
    return { kind: 'remove-network', because: `it is of the project ${definition.project}`, network };
  });
}

function images(
  { images: all, containers, definition }: ObservedClean,
  going: readonly ContainerSummary[],
): CleanStep[] {
  const own = all.filter(
    ({ labels: by }) => by[labels.built] !== undefined || by[composeLabels.project] === definition.project,
  );
  return own.map((image): CleanStep => {
    const user = containers.find((one) => !going.includes(one) && one.imageId === image.id);
    if (user) return keep('image', image.id, `${user.name}, which stays, was made from it`, image.size);
    return { kind: 'remove-image', because: 'it was built here, and has no name any more', image };
  });
}

function volumes(
  seen: ObservedClean,
  going: readonly ContainerSummary[],
  asked: ReadonlySet<string>,
): CleanStep[] {
  const { volumes: all, contents, sizes, definition, home, containers } = seen;
  const own = all.filter((volume) => concernsUs(volume, seen) && !asked.has(volume.name));
  return own.sort(byName).map((volume): CleanStep => {
    const { name } = volume;
    const size = sizes.get(name) ?? null;
    const holds = contents.get(name) ?? 'unknown';
    const user = usersOf(volume, containers).find((one) => !going.includes(one));
    const disposable = DisposableVolume.of(volume, holds);
    const owner = anonymousName.test(name) && usersOf(volume, containers).find((one) => !isGuard(one));
    const whose = owner ? `${owner.name} has it, without a name; ` : '';
    if (!disposable) return keep('volume', name, `${whose}${whyKept[holds]}; ${toTake(name)}`, size);
    if (!isOwnVolume(volume, { project: definition.project, home }))
      return keep('volume', name, `aixcl did not make it; ${toTake(name)}`, size);
    if (user) return keep('volume', name, `${user.name}, which stays, uses it`, size);
    return { kind: 'remove-volume', because: 'what it holds can be made again', volume, size, disposable };
  });
}

/** As an engine lists them in no order of its own. */
function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

const whyKept: Readonly<Record<VolumeContents, string>> = {
  models: 'it holds models',
  state: 'it holds state, which is nowhere else',
  unknown: 'nobody knows what it holds, which counts as precious',
  disposable: '',
};

function toTake(name: string): string {
  return `to save it and take it away: aixcl stack clean --volumes ${name}`;
}

function keep(
  what: 'container' | 'network' | 'image' | 'volume',
  name: string,
  because: string,
  size: number | null = null,
): CleanStep {
  return { kind: 'keep', because, what, name, size };
}
