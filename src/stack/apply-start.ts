import { AixclError } from '../errors.ts';
import type { Note } from '../plan/journal.ts';
import type { StepOutcome } from '../plan/step.ts';
import { applyServiceStep, type Making } from './apply-service-step.ts';
import { applySharedSteps } from './apply-shared-steps.ts';
import type { ServiceDefinition, StackDefinition } from './definition/types.ts';
import { inDependencyOrder, sharedService } from './dependency-order.ts';
import type { Engine } from './engine.ts';
import type { Observed } from './observe.ts';
import { awaitCompletion, awaitReady } from './readiness.ts';
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
  /** The first failure of each service that did not come up. */
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
  const failures = await applySharedSteps(plan, recorder, hands, project);
  return { steps: recorder.outcomes, failures };
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
  const imageFailures = new Map([
    ...before.failures,
    ...(await applySharedSteps(plan, recorder, hands, definition.project)),
  ]);

  const images = await imageIds(observed, services, plan, hands.engine);
  const ids = new Map(
    plan.flatMap((step) =>
      'id' in step && step.id && step.kind !== 'remove-leftover' ? [[step.service, step.id] as const] : [],
    ),
  );
  const courses = new Map<string, Course>();
  const failures = new Map<string, unknown>();
  const loading: string[] = [];
  for (const service of inDependencyOrder(services)) {
    const making = { definition, service, ids, observed, imageId: images.get(service.image), hands, loading };
    const steps = plan.filter(
      (step): step is ServiceStep => 'service' in step && step.service === service.name,
    );
    const imageFailure = imageFailures.get(service.image);
    courses.set(service.name, runService(making, steps, { courses, recorder, failures, imageFailure }));
  }
  hands.onLaunched();
  await Promise.all([...courses.values()].map(({ settled }) => settled));
  hands.signal.throwIfAborted();
  return {
    steps: [...before.steps, ...recorder.outcomes],
    failures: [...new Set(failures.values())],
    failed: new Set(failures.keys()),
    loading,
  };
}

/** How far a service got: `started` once its container runs, `settled` once it was waited for. False: it failed before that. */
interface Course {
  readonly started: Promise<boolean>;
  readonly settled: Promise<boolean>;
}

interface Surroundings {
  readonly courses: ReadonlyMap<string, Course>;
  readonly recorder: StepRecorder;
  /** First failure of each service, by its name. */
  readonly failures: Map<string, unknown>;
  /** Why this service's image could not be had. */
  readonly imageFailure: unknown;
}

function runService(making: Making, steps: readonly ServiceStep[], surroundings: Surroundings): Course {
  const { courses, recorder, failures, imageFailure } = surroundings;
  const apply = async (some: readonly ServiceStep[]) => {
    for (const step of some) await recorder.run(step, () => applyServiceStep(step, making));
  };
  const guard = async (work: () => Promise<void>, left: readonly ServiceStep[]) => {
    try {
      await work();
      return true;
    } catch (error) {
      failures.set(making.service.name, error);
      recorder.skip(left);
      return false;
    }
  };
  // Containers are made at once; only what touches a running one, and the start, waits for its turn.
  const early = sharedService(making.service) ? [] : steps.filter(isEarly);
  const waits = steps.filter(({ kind }) => kind === 'wait');
  const rest = steps.filter((step) => !early.includes(step) && !waits.includes(step));
  const { turn } = making.hands;
  const bringUp = async () => {
    if (imageFailure !== undefined) throw imageFailure;
    await apply(early);
    if (rest.some(({ kind }) => kind !== 'keep') && hasDependencies(making.service)) {
      await turn.pause(() => dependencies(making, courses));
    }
    await apply(rest);
  };
  const started = guard(() => turn.hold(bringUp), steps);
  const settled = started.then((up) => up && guard(() => apply(waits), waits));
  return { started, settled };
}

function hasDependencies(service: ServiceDefinition): boolean {
  return service.dependsOn.size > 0 || sharedService(service) !== undefined;
}

function isEarly({ kind }: ServiceStep): boolean {
  return kind === 'create' || kind === 'remove-leftover';
}

async function dependencies(
  { service, ids, hands }: Making,
  courses: ReadonlyMap<string, Course>,
): Promise<void> {
  const options = { timeoutMs: hands.waitTimeoutMs, signal: hands.signal };
  const shared = sharedService(service);
  if (shared) await courses.get(shared)?.started;
  const wants = [...service.dependsOn].map(async ([name, { condition, required }]) => {
    const course = courses.get(name);
    if (!course) return;
    const up = await (condition === 'service_healthy' ? course.settled : course.started);
    if (!up && required) {
      throw new AixclError(
        'unhealthy',
        `${service.name} was not started: it depends on ${name}, which did not come up`,
        {
          hint: `aixcl service logs ${name}`,
        },
      );
    }
    const id = ids.get(name);
    if (!up || !id) return;
    if (condition === 'service_healthy') await awaitReady(hands.engine, id, options);
    if (condition === 'service_completed_successfully') await awaitCompletion(hands.engine, id, options);
  });
  await Promise.all(wants);
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
