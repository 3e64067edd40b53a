import type { ServiceDefinition, StackDefinition } from '../definition/types.ts';
import { boundFolder, folderBehind, type Observed, usedVolumes } from '../observe.ts';
import { anonymousName } from '../recreate/inherited-volumes.ts';
import type { StartStep, StartWish } from '../start-step.ts';
import { type GuardPlan, guardHolding, guardsOf, isSettled, mountedVolumes, planGuard } from './guard.ts';
import { imagesAtHand } from './images-at-hand.ts';
import { contentsOfVolume } from './volume-contents.ts';

/** Sees to it that the guard holds what these services keep inside the engine, before the first of them is started. `steps`: theirs. */
export function planHolding(
  definition: StackDefinition,
  observed: Observed,
  services: readonly ServiceDefinition[],
  { home, seen }: Pick<StartWish, 'home' | 'seen'>,
  steps: readonly StartStep[],
): StartStep[] {
  const { containers } = observed;
  const volumes = volumesToHold(definition, observed, services, seen);
  const onlyOn = imagesToComeOff(observed, home, steps);
  const plan = planGuard(containers, { home, hold: volumes, onlyOn });
  if (isSettled(plan)) return [];
  const users = services.filter((service) =>
    volumes.some(
      (name) => uses(definition, service, name) || unnamedVolumes(observed, service).includes(name),
    ),
  );
  return [
    {
      kind: 'hold-volumes',
      volumes,
      services: users.map(({ name }) => name),
      onlyOn,
      images: imagesAtHand(definition, { first: users.map(({ image }) => image), containers }),
      because: reasonFor(
        plan,
        volumes.filter((name) => !guardHolding(containers, name)),
        onlyOn,
      ),
    },
  ];
}

/**
 * Ids of the images that services have now, where the guard stands on one that a replaced container has and no service will have: that image
 * could not be removed for its sake alone. Undefined: it may stay where it is.
 */
function imagesToComeOff(
  { containers, images }: Observed,
  home: string,
  steps: readonly StartStep[],
): string[] | undefined {
  const current = [...images.values()].flatMap((image) => image?.id ?? []);
  const replaced = new Set(steps.flatMap((step) => (step.kind === 'replace' ? step.id : [])));
  const leaving = containers.flatMap(({ id, imageId }) => (replaced.has(id) ? imageId : []));
  const guards = guardsOf(containers, home);
  const isStale = guards.some(({ imageId }) => leaving.includes(imageId) && !current.includes(imageId));
  return isStale && current.length > 0 ? current : undefined;
}

/**
 * Names of the volumes that these services use and that no folder of this machine holds; what may be lost without harm is not held. One that
 * nobody named has its name once its container is made: with models in it, it is held from the next start on.
 */
function volumesToHold(
  definition: StackDefinition,
  observed: Pick<Observed, 'containers' | 'volumes' | 'services'>,
  services: readonly ServiceDefinition[],
  seen: StartWish['seen'],
): string[] {
  const { containers, volumes } = observed;
  const named = usedVolumes(definition, services).flatMap((volume) => {
    const found = volumes.get(volume.name);
    if (found ? folderBehind(found) : boundFolder(volume.driverOpts)) return [];
    const holds = contentsOfVolume(volume.name, found, { definition, containers, seen });
    return holds === 'disposable' ? [] : [volume.name];
  });
  const unnamed = services
    .flatMap((service) => unnamedVolumes(observed, service))
    .filter((name) => contentsOfVolume(name, undefined, { definition, containers, seen }) === 'models');
  return [...new Set([...named, ...unnamed])];
}

/** Those of its containers. */
function unnamedVolumes({ services }: Pick<Observed, 'services'>, { name }: ServiceDefinition): string[] {
  const containers = services.get(name)?.matches.map(({ container }) => container) ?? [];
  return containers.flatMap(mountedVolumes).filter((volume) => anonymousName.test(volume));
}

function uses(definition: StackDefinition, service: ServiceDefinition, name: string): boolean {
  return usedVolumes(definition, [service]).some((volume) => volume.name === name);
}

function reasonFor({ stays, start }: GuardPlan, unheld: readonly string[], onlyOn: unknown): string {
  if (start && stays && 'guard' in stays) {
    return `${stays.guard.name} is ${stays.guard.state}, and holds nothing while it does not run`;
  }
  if (unheld.length > 0) {
    return 'its bytes lie inside the engine, where a clean-up takes what no running container holds';
  }
  return onlyOn
    ? 'the guard is the last on an image that is replaced'
    : 'an interrupted change of the guard is finished';
}
