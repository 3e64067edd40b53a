import { randomBytes } from 'node:crypto';
import { AixclError, reasonOf } from '../errors.ts';
import type { ContainerSummary, Engine, ImageDetail } from './engine.ts';
import {
  type GuardWish,
  guardName,
  guardSpec,
  guardsOf,
  guardVariants,
  isSettled,
  mountedVolumes,
  nameIsFree,
  planGuard,
} from './guard.ts';

export interface HoldWish extends GuardWish {
  /** Images that may serve, the likeliest first: references or ids (`imagesAtHand`). What is not here is passed over. */
  readonly images: readonly string[];
  readonly signal: AbortSignal;
}

export interface Held {
  /** Name of the guard; undefined when there is nothing to hold. */
  readonly guard: string | undefined;
  /** What it holds, by name. */
  readonly volumes: readonly string[];
  readonly changed: boolean;
}

/**
 * Sees to it that one running guard holds these volumes, and what guards held before. A further volume takes a new guard, which runs before
 * the old one goes, so that no volume is unheld meanwhile; what a killed command left is settled. Throws `notFound` for a volume that is
 * not there, and where no image serves.
 */
export async function holdVolumes(engine: Engine, wish: HoldWish): Promise<Held> {
  const containers = await engine.listContainers();
  const plan = planGuard(containers, wish);
  const { stays } = plan;
  if (!stays) {
    for (const { id } of plan.remove) await engine.removeGuard(id, wish.home);
    return { guard: undefined, volumes: [], changed: plan.remove.length > 0 };
  }
  if ('guard' in stays && (!plan.start || (await starts(engine, stays.guard.id)))) {
    return settle(engine, wish, { ...stays.guard, volumes: mountedVolumes(stays.guard) }, plan);
  }
  const volumes = 'volumes' in stays ? stays.volumes : mountedVolumes(stays.guard);
  const made = await make(engine, wish, volumes, containers);
  return settle(engine, wish, made, {
    ...plan,
    remove: guardsOf(containers, wish.home),
    rename: made.name !== guardName && nameIsFree(containers, wish.home),
  });
}

interface Standing {
  readonly id: string;
  readonly name: string;
  readonly volumes: readonly string[];
}

/** The guard runs: the others go, and it gets their name. */
async function settle(
  engine: Engine,
  { home, signal }: HoldWish,
  guard: Standing,
  plan: ReturnType<typeof planGuard>,
): Promise<Held> {
  for (const { id } of plan.remove) {
    signal.throwIfAborted();
    await engine.removeGuard(id, home);
  }
  if (plan.rename) await engine.renameContainer(guard.id, guardName);
  return {
    guard: plan.rename ? guardName : guard.name,
    volumes: guard.volumes,
    changed: !isSettled(plan),
  };
}

async function make(
  engine: Engine,
  wish: HoldWish,
  volumes: readonly string[],
  containers: readonly ContainerSummary[],
): Promise<Standing> {
  // A volume that is not there would be made, and empty, by mounting it.
  for (const volume of volumes) if (!(await engine.inspectVolume(volume))) throw noVolume(volume);
  const name = containers.some((one) => one.name === guardName)
    ? `${guardName}-${randomBytes(6).toString('hex')}`
    : guardName;
  const tried = new Set<string>();
  let obstacle: unknown;
  const proven = guardsOf(containers, wish.home).map(({ imageId }) => imageId);
  for (const reference of [...wish.images, ...proven]) {
    wish.signal.throwIfAborted();
    const image = await engine.inspectImage(reference);
    if (!image || tried.has(image.id)) continue;
    tried.add(image.id);
    const id = await tryImage(engine, wish.home, name, volumes, image).catch((error: unknown) => {
      if (!(error instanceof AixclError) || error.code !== 'unexpected') throw error;
      obstacle = error;
      return undefined;
    });
    if (id) return { id, name, volumes };
  }
  throw noImage(volumes, tried.size, obstacle);
}

/** Id of a guard that runs. Undefined, or a failure of the engine's, when this image is none for it. */
async function tryImage(
  engine: Engine,
  home: string,
  name: string,
  volumes: readonly string[],
  image: ImageDetail,
): Promise<string | undefined> {
  for (const variant of guardVariants) {
    const id = await engine.createContainer(name, guardSpec(home, volumes, image, variant));
    if (await starts(engine, id)) return id;
    await engine.removeGuard(id, home);
  }
  return undefined;
}

/**
 * An image without `sleep` fails at its start or, under an init, right after it, and is then restarted for ever: that it can be run
 * is asked of the container itself.
 */
async function starts(engine: Engine, id: string): Promise<boolean> {
  try {
    await engine.startContainer(id);
    const { exitCode } = await engine.exec(id, ['sleep', '0']);
    return exitCode === 0 && (await engine.inspectContainer(id))?.state === 'running';
  } catch (error) {
    if (error instanceof AixclError && error.code === 'unexpected') return false;
    throw error;
  }
}

function noVolume(name: string): AixclError {
  return new AixclError('notFound', `there is no volume ${name} on this engine to be held`, {
    hint: 'docker volume ls',
  });
}

function noImage(volumes: readonly string[], tried: number, obstacle: unknown): AixclError {
  const why = tried === 0 ? 'none is here' : `none of the ${tried} that are here can run \`sleep\``;
  return new AixclError(
    'notFound',
    `${volumes.join(', ')} would be held by nothing: ${guardName}, the container that holds volumes, needs an image, and ${why}`,
    {
      hint: 'docker pull busybox, or docker load it; then run the command again',
      ...(obstacle !== undefined && { evidence: [reasonOf(obstacle)] }),
    },
  );
}
