import { AixclError } from '../errors.ts';
import { basesOf } from './build-bases.ts';
import type { ServiceDefinition } from './definition/types.ts';
import type { Observed } from './observe.ts';
import type { StartStep, StartWish } from './start-step.ts';

/** Images to be made or fetched anew, whether they are here or not: before all else, as what they turn out to be decides what drifted. */
export function planFetches(
  observed: Pick<Observed, 'images'>,
  services: readonly ServiceDefinition[],
  wish: StartWish,
): StartStep[] {
  const steps = new Map<string, StartStep>();
  for (const service of services) {
    const { image: reference, build, pullPolicy, platform } = service;
    if (build && buildsAlways(service, wish)) {
      steps.set(reference, { kind: 'build-image', reference, build, because: 'a build was asked for' });
    } else if (!build && !wish.isLocallyBuilt(reference) && pullsAlways(pullPolicy, wish)) {
      steps.set(reference, { kind: 'pull-image', reference, platform, because: 'it is always pulled' });
    }
  }
  return withBases(observed, [...steps.values()], wish);
}

function buildsAlways({ build, pullPolicy }: ServiceDefinition, wish: StartWish): boolean {
  return build !== undefined && (wish.build || pullPolicy === 'build');
}

/** The flag goes over the definition. */
function pullsAlways(policy: ServiceDefinition['pullPolicy'], { pull }: StartWish): boolean {
  return pull === 'always' ? policy !== 'never' : pull === 'missing' && policy === 'always';
}

export function planImages(
  observed: Observed,
  services: readonly ServiceDefinition[],
  parts: readonly StartStep[][],
  wish: StartWish,
): StartStep[] {
  const steps = new Map<string, StartStep>();
  services.forEach((service, index) => {
    const step = imageStep(observed, service, parts[index] ?? [], wish);
    if (step) steps.set(service.image, step);
  });
  return withBases(observed, [...steps.values()], wish);
}

/** What a build stands on and no registry has is made before it. */
function withBases(
  { images }: Pick<Observed, 'images'>,
  steps: readonly StartStep[],
  wish: StartWish,
): StartStep[] {
  const made = new Set(steps.flatMap((step) => (step.kind === 'build-local-image' ? step.reference : [])));
  const bases = steps.flatMap((step) => (step.kind === 'build-image' ? basesOf(step.build) : []));
  const missing = [...new Set(bases)].filter(
    (base) => wish.isLocallyBuilt(base) && !made.has(base) && !images.get(base),
  );
  const because = 'it is not here, and a build stands on it';
  return [
    ...missing.map((reference): StartStep => ({ kind: 'build-local-image', reference, because })),
    ...steps,
  ];
}

function imageStep(
  observed: Observed,
  service: ServiceDefinition,
  part: readonly StartStep[],
  wish: StartWish,
): StartStep | undefined {
  const here = observed.images.get(service.image) !== undefined;
  const needed = part.some(({ kind }) => kind === 'create' || kind === 'replace' || kind === 'adopt');
  const reference = service.image;
  // Built by then (`planFetches`).
  if (buildsAlways(service, wish)) return undefined;
  if (service.build && observed.outdated.has(reference)) {
    return {
      kind: 'build-image',
      reference,
      build: service.build,
      because: 'what it is built from is another now',
    };
  }
  if (here || !needed) return undefined;
  if (service.build)
    return { kind: 'build-image', reference, build: service.build, because: 'it is not here' };
  if (wish.isLocallyBuilt(reference)) {
    return {
      kind: 'build-local-image',
      reference,
      because: 'it is not here, and it is made on this machine',
    };
  }
  if (wish.pull === 'never' || service.pullPolicy === 'never') {
    throw new AixclError(
      'notFound',
      `the image ${reference} of ${service.name} is not here, and pulling is switched off`,
      {
        hint: `docker pull ${reference}`,
      },
    );
  }
  return { kind: 'pull-image', reference, platform: service.platform, because: 'it is not here' };
}
