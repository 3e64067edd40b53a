import { AixclError } from '../errors.ts';
import type { Note } from '../plan/journal.ts';
import type { StepOutcome } from '../plan/step.ts';
import type { Making } from './apply-service-step.ts';
import { applySharedSteps } from './apply-shared-steps.ts';
import type { ServiceDefinition, StackDefinition } from './definition/types.ts';
import { inDependencyOrder } from './dependency-order.ts';
import type { Engine } from './engine.ts';
import type { Observed } from './observe.ts';
import { type Course, runService } from './service-course.ts';
import type { StartReport } from './start-report.ts';
import type { ServiceStep, StartStep } from './start-step.ts';
import { StepRecorder } from './step-recorder.ts';
import type { Turn } from './turn.ts';

/** What carrying out a start needs from outside. */
export interface StartHands {
  readonly engine: Engine;
  readonly signal: AbortSignal;
  readonly waitTimeoutMs: number;
  /** Value of the label `io.aixcl.home`. */
  readonly home: string;
  readonly report: StartReport;
  /** Held by the caller; it may let go of it once `onLaunched` is called. */
  readonly turn: Turn;
  onLaunched(): void;
  /** Called before each change; keeping and waiting are none. */
  readonly note: Note;
  makeDirectory(path: string): Promise<void>;
  buildLocalImage(reference: string): Promise<void>;
}

export interface StartOutcome {
  readonly steps: readonly StepOutcome[];
  /** The first failure of each service that did not come up; that of the engine alone where it went away. */
  readonly failures: readonly unknown[];
  /** Names of the services that did not come up. */
  readonly failed: ReadonlySet<string>;
  /** Services whose process is up and still loads. */
  readonly loading: readonly string[];
}

/** What became of images that were fetched anew before the start was planned. */
export interface Pulled {
  readonly steps: readonly StepOutcome[];
  /** Why they could not be had, by reference. */
  readonly failures: ReadonlyMap<string, unknown>;
}

/** Fetches images anew (`--pull always`), so that what they turn out to be can be planned with. */
export async function applyPulls(
  plan: readonly StartStep[],
  project: string,
  hands: StartHands,
): Promise<Pulled> {
  const recorder = new StepRecorder(hands);
  const { images } = await applySharedSteps(plan, recorder, hands, project);
  return { steps: recorder.outcomes, failures: images };
}

/** Carries out a start plan: shared steps first, then the services, each as soon as those it depends on are where it wants them. */
export async function applyStart(
  definition: StackDefinition,
  observed: Observed,
  services: readonly ServiceDefinition[],
  plan: readonly StartStep[],
  hands: StartHands,
  before: Pulled = { steps: [], failures: new Map() },
): Promise<StartOutcome> {
  const recorder = new StepRecorder(hands);
  const shared = await applySharedSteps(plan, recorder, hands, definition.project);
  const imageFailures = new Map([...before.failures, ...shared.images]);

  const images = await imageIds(observed, services, plan, hands.engine);
  const ids = new Map(plan.flatMap((step) => serving(step)));
  const courses = new Map<string, Course>();
  const failures = new Map<string, unknown>();
  const wentBack = new Set<string>();
  const loading: string[] = [];
  for (const service of inDependencyOrder(services)) {
    const making: Making = {
      definition,
      service,
      ids,
      observed,
      imageId: images.get(service.image),
      hands,
      loading,
    };
    const steps = plan.filter(
      (step): step is ServiceStep => 'service' in step && step.service === service.name,
    );
    const obstacle = imageFailures.get(service.image) ?? shared.services.get(service.name);
    courses.set(service.name, runService(making, steps, { courses, recorder, failures, wentBack, obstacle }));
  }
  hands.onLaunched();
  await Promise.all([...courses.values()].map(({ settled }) => settled));
  hands.signal.throwIfAborted();
  return {
    steps: [...before.steps, ...recorder.outcomes],
    failures: await causes([...new Set(failures.values())], hands.engine),
    failed: new Set(failures.keys()),
    loading,
  };
}

/** An engine that went away is the cause of whatever else failed then: containers that it stopped on its way, say. */
async function causes(failures: readonly unknown[], engine: Engine): Promise<readonly unknown[]> {
  if (failures.length === 0) return failures;
  const isLoss = (error: unknown) => error instanceof AixclError && error.code === 'engineUnreachable';
  const told = failures.find(isLoss);
  const lost = told ?? (await engine.assertThere().catch((error: unknown) => error));
  return isLoss(lost) ? [lost] : failures;
}

/** The container that a service has before anything is done, by its name. */
function serving(step: StartStep): (readonly [service: string, id: string])[] {
  if (!('id' in step) || !step.id) return [];
  if (step.kind === 'remove-leftover' || step.kind === 'remove-replaced' || step.kind === 'keep-aside')
    return [];
  return [[step.service, step.id]];
}

/** Ids of the images, also of those that were pulled or built just now. */
async function imageIds(
  observed: Observed,
  services: readonly ServiceDefinition[],
  plan: readonly StartStep[],
  engine: Engine,
): Promise<Map<string, string | undefined>> {
  const references = [...new Set(services.map(({ image }) => image))];
  const made = new Set(plan.flatMap((step) => ('reference' in step ? step.reference : [])));
  const ids = references.map(async (reference) => {
    const before = made.has(reference) ? undefined : observed.images.get(reference);
    const known = before ?? (await engine.inspectImage(reference));
    return [reference, known?.id] as const;
  });
  return new Map(await Promise.all(ids));
}
