import { composeLabels, labels } from '../labels.ts';
import type { StartHands } from './apply-start.ts';
import { basesOf } from './build-bases.ts';
import { ownLabels } from './own-labels.ts';
import type { SharedStep, StartStep } from './start-step.ts';
import type { StepRecorder } from './step-recorder.ts';
import { holdVolumes } from './volumes/hold-volumes.ts';

/** What could not be had, and is the matter of the services that need it. */
export interface SharedFailures {
  /** Why images could not be had, by reference. */
  readonly images: ReadonlyMap<string, unknown>;
  /** Why services must not run: what they keep inside the engine would be held by nothing. */
  readonly services: ReadonlyMap<string, unknown>;
}

export async function applySharedSteps(
  plan: readonly StartStep[],
  recorder: StepRecorder,
  hands: StartHands,
  project: string,
): Promise<SharedFailures> {
  const steps = plan.filter((step): step is SharedStep => !('service' in step));
  const failures = new Map<string, unknown>();
  const images = new Map<string, Promise<void>>();
  const isBuild = (step: SharedStep) => step.kind === 'build-image';
  for (const step of steps.toSorted((a, b) => Number(isBuild(a)) - Number(isBuild(b)))) {
    if (!('reference' in step)) continue;
    const bases = step.kind === 'build-image' ? basesOf(step.build) : [];
    const done = recorder.run(step, async () => {
      await Promise.all(bases.map((base) => images.get(base)));
      await applySharedStep(step, hands, project);
    });
    images.set(step.reference, done);
    done.catch((error: unknown) => failures.set(step.reference, error));
  }
  await Promise.allSettled(images.values());
  hands.signal.throwIfAborted();
  const unheld = new Map<string, unknown>();
  for (const step of steps) {
    if ('reference' in step) continue;
    const done = recorder.run(step, () => applySharedStep(step, hands, project));
    if (step.kind === 'hold-volumes') {
      await done.catch((error: unknown) => {
        for (const service of step.services) unheld.set(service, error);
      });
      hands.signal.throwIfAborted();
    } else await done;
  }
  return { images: failures, services: unheld };
}

async function applySharedStep(step: SharedStep, hands: StartHands, project: string): Promise<void> {
  const { engine, signal, report } = hands;
  switch (step.kind) {
    case 'make-directory':
      return hands.makeDirectory(step.path);
    case 'pull-image':
      for await (const progress of engine.pullImage(step.reference, { platform: step.platform, signal })) {
        report.layer(step, progress);
      }
      return;
    case 'build-image':
      for await (const line of engine.buildImage(step.reference, step.build, { signal }))
        report.detail(step, line);
      return;
    case 'build-local-image':
      return hands.buildLocalImage(step.reference);
    case 'create-network': {
      const own = { ...ownLabels(hands.home, project), [composeLabels.network]: step.network.key };
      await engine.createNetwork(step.network, { ...Object.fromEntries(step.network.labels), ...own });
      return;
    }
    case 'create-volume': {
      const { volume } = step;
      // What is declared external is not Compose's: `down --volumes` takes what carries its labels.
      const own = volume.external
        ? { [labels.home]: hands.home }
        : { ...ownLabels(hands.home, project), [composeLabels.volume]: volume.key };
      return engine.createVolume(volume, { ...Object.fromEntries(volume.labels), ...own });
    }
    case 'hold-volumes': {
      const { volumes: hold, images, onlyOn } = step;
      await holdVolumes(engine, { home: hands.home, hold, images, onlyOn, signal });
      return;
    }
  }
}
