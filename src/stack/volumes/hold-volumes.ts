import { randomBytes } from 'node:crypto';
import { AixclError } from '../../errors.ts';
import type { ContainerSummary, Engine } from '../engine.ts';
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
  if ('guard' in stays && (!plan.start || (await start(engine, stays.guard.id)) === undefined)) {
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
  let obstacle: string | undefined;
  const proven = guardsOf(containers, wish.home).map(({ imageId }) => imageId);
  for (const reference of [...wish.images, ...proven]) {
    wish.signal.throwIfAborted();
    const image = await engine.inspectImage(reference);
    if (!image || tried.has(image.id)) continue;
    tried.add(image.id);
    for (const variant of guardVariants) {
      const id = await engine.createContainer(name, guardSpec(wish.home, volumes, image, variant));
      obstacle = await start(engine, id);
      if (obstacle === undefined) return { id, name, volumes };
      await engine.removeGuard(id, wish.home);
    }
  }
  throw noImage(volumes, tried.size, obstacle);
}

/**
 * Starts it and answers why it does not run; undefined: it does. An image without `sleep` fails at its start or, under an init, right after
 * it, and is then restarted for ever: that it can be run is asked of the container itself.
 */
async function start(engine: Engine, id: string): Promise<string | undefined> {
  try {
    await engine.startContainer(id);
    const { exitCode, output } = await engine.exec(id, ['sleep', '0']);
    if (exitCode !== 0) return `sleep ended with ${exitCode}: ${output.trim()}`;
    const found = await engine.inspectContainer(id);
    return found?.state === 'running' ? undefined : `it is ${found?.state ?? 'gone'}`;
  } catch (error) {
    if (error instanceof AixclError && error.code === 'unexpected') return error.message;
    throw error;
  }
}

function noVolume(name: string): AixclError {
  return new AixclError('notFound', `there is no volume ${name} on this engine to be held`, {
    hint: 'docker volume ls',
  });
}

function noImage(volumes: readonly string[], tried: number, obstacle: string | undefined): AixclError {
  const why = tried === 0 ? 'none is here' : `it runs on none of the ${tried} that are here`;
  return new AixclError(
    'notFound',
    `${volumes.join(', ')} would be held by nothing: ${guardName}, the container that holds volumes, needs an image, and ${why}`,
    {
      hint: 'docker pull busybox, or docker load it; then run the command again',
      evidence: obstacle ? [obstacle] : [],
    },
  );
}
