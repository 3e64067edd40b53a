import { AixclError } from '../errors.ts';
import { composeLabels, labels } from '../labels.ts';
import type { StepOutcome } from '../plan/step.ts';
import { applyServiceStep, type Making } from './apply-service-step.ts';
import type { ServiceDefinition, StackDefinition } from './definition/types.ts';
import type { Engine } from './engine.ts';
import type { Observed } from './observe.ts';
import { awaitCompletion, awaitReady } from './readiness.ts';
import { describe, type StartReport } from './start-report.ts';
import type { ServiceStep, SharedStep, StartStep } from './start-step.ts';

/** What carrying out a start needs from outside. */
export interface StartHands {
  readonly engine: Engine;
  readonly signal: AbortSignal;
  readonly waitTimeoutMs: number;
  /** Value of the label `io.aixcl.home`. */
  readonly home: string;
  readonly report: StartReport;
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

/** Carries out a start plan: shared steps first, then the services, each as soon as those it depends on are where it wants them. */
export async function applyStart(
  definition: StackDefinition,
  observed: Observed,
  services: readonly ServiceDefinition[],
  plan: readonly StartStep[],
  hands: StartHands,
): Promise<StartOutcome> {
  const recorder = new Recorder(hands);
  const imageFailures = await applyShared(plan, recorder, hands, definition.project);

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
  await Promise.all([...courses.values()].map(({ settled }) => settled));
  hands.signal.throwIfAborted();
  return {
    steps: recorder.outcomes,
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
  readonly recorder: Recorder;
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
  const early = making.service.networkMode?.startsWith('service:') ? [] : steps.filter(isEarly);
  const waits = steps.filter(({ kind }) => kind === 'wait');
  const rest = steps.filter((step) => !early.includes(step) && !waits.includes(step));
  const started = guard(async () => {
    if (imageFailure !== undefined) throw imageFailure;
    await apply(early);
    if (rest.some(({ kind }) => kind !== 'keep')) await dependencies(making, courses);
    await apply(rest);
  }, steps);
  const settled = started.then((up) => up && guard(() => apply(waits), waits));
  return { started, settled };
}

function isEarly({ kind }: ServiceStep): boolean {
  return kind === 'create' || kind === 'remove-leftover';
}

async function dependencies(
  { service, ids, hands }: Making,
  courses: ReadonlyMap<string, Course>,
): Promise<void> {
  const options = { timeoutMs: hands.waitTimeoutMs, signal: hands.signal };
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

/** Answers why images could not be had, by reference: that is the matter of the services that need them. */
async function applyShared(
  plan: readonly StartStep[],
  recorder: Recorder,
  hands: StartHands,
  project: string,
): Promise<Map<string, unknown>> {
  const steps = plan.filter((step): step is SharedStep => !('service' in step));
  const failures = new Map<string, unknown>();
  const images = steps.map(async (step) => {
    if (!('reference' in step)) return;
    await recorder
      .run(step, () => applySharedStep(step, hands, project))
      .catch((error: unknown) => failures.set(step.reference, error));
  });
  await Promise.all(images);
  hands.signal.throwIfAborted();
  for (const step of steps) {
    if (!('reference' in step)) await recorder.run(step, () => applySharedStep(step, hands, project));
  }
  return failures;
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
      const own = { ...ownLabels(hands, project), [composeLabels.network]: step.network.key };
      await engine.createNetwork(step.network, { ...Object.fromEntries(step.network.labels), ...own });
      return;
    }
    case 'create-volume': {
      const own = { ...ownLabels(hands, project), [composeLabels.volume]: step.volume.key };
      return engine.createVolume(step.volume, { ...Object.fromEntries(step.volume.labels), ...own });
    }
  }
}

/** By these, Compose and aixcl know their own networks and volumes. */
function ownLabels(hands: StartHands, project: string): Record<string, string> {
  return { [labels.home]: hands.home, [composeLabels.project]: project };
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

/** Services behind those that they depend on. The loader has refused cycles. */
export function inDependencyOrder(services: readonly ServiceDefinition[]): ServiceDefinition[] {
  const byName = new Map(services.map((service) => [service.name, service]));
  const ordered = new Set<ServiceDefinition>();
  const visit = (service: ServiceDefinition) => {
    for (const name of service.dependsOn.keys()) {
      const dependency = byName.get(name);
      if (dependency && !ordered.has(dependency)) visit(dependency);
    }
    ordered.add(service);
  };
  services.forEach(visit);
  return [...ordered];
}

/** Keeps what became of each step. */
class Recorder {
  readonly outcomes: StepOutcome[] = [];
  readonly #seen = new Set<StartStep>();
  readonly #hands: StartHands;

  constructor(hands: StartHands) {
    this.#hands = hands;
  }

  async run(step: StartStep, work: () => Promise<void>): Promise<void> {
    this.#hands.signal.throwIfAborted();
    this.#seen.add(step);
    this.#hands.report.begin(step);
    try {
      await work();
    } catch (error) {
      this.outcomes.push({ ...describe(step), outcome: 'failed' });
      this.#hands.report.end(step, error);
      throw error;
    }
    this.outcomes.push({ ...describe(step), outcome: step.kind === 'keep' ? 'kept' : 'done' });
    this.#hands.report.end(step);
  }

  skip(steps: readonly StartStep[]): void {
    for (const step of steps) {
      if (!this.#seen.has(step)) this.outcomes.push({ ...describe(step), outcome: 'skipped' });
    }
  }
}
