import { AixclError, reasonOf } from '../errors.ts';
import { applyServiceStep, type Making } from './apply-service-step.ts';
import type { ServiceDefinition } from './definition/types.ts';
import { sharedService } from './dependency-order.ts';
import { awaitCompletion, awaitReady } from './readiness.ts';
import { staying } from './recreate/plan-redeploy.ts';
import { goBack, notBack, type WayBack, wasStopped, wentBack } from './recreate/redeploy.ts';
import type { ServiceStep, StartStep } from './start-step.ts';
import type { StepRecorder } from './step-recorder.ts';

/**
 * How far a service got: `started` once its container runs, or, where another one is kept until then, is healthy; `settled` once it was
 * waited for. False: it failed before that.
 */
export interface Course {
  readonly started: Promise<boolean>;
  readonly settled: Promise<boolean>;
}

export interface Surroundings {
  readonly courses: ReadonlyMap<string, Course>;
  readonly recorder: StepRecorder;
  /** First failure of each service, by its name. */
  readonly failures: Map<string, unknown>;
  /** Services that went back to the container before. */
  readonly wentBack: Set<string>;
  /** Why this service can't be brought up: its image could not be had, say. */
  readonly obstacle: unknown;
}

/** Brings one service up, beside the others. */
export function runService(
  making: Making,
  steps: readonly ServiceStep[],
  surroundings: Surroundings,
): Course {
  const course = new ServiceCourse(making, steps, surroundings);
  const started = course.start();
  const settled = started.then((up) => up && course.settle());
  return { started: course.awaitsVerdict ? settled : started, settled };
}

type Kind = StartStep['kind'];

class ServiceCourse {
  readonly #making: Making;
  readonly #steps: readonly ServiceStep[];
  readonly #around: Surroundings;
  /** Containers are made at once; only what touches a running one, and the start, waits for its turn. */
  readonly #early: readonly ServiceStep[];
  readonly #work: readonly ServiceStep[];
  readonly #restarts: readonly Extract<ServiceStep, { kind: 'restart' }>[];
  readonly #waits: readonly ServiceStep[];
  /** What becomes of the container that was set aside. */
  readonly #end: ServiceStep | undefined;
  #untouched = false;

  constructor(making: Making, steps: readonly ServiceStep[], around: Surroundings) {
    this.#making = making;
    this.#steps = steps;
    this.#around = around;
    const last = steps.filter(({ kind }) => kind !== 'restart').at(-1);
    this.#end = last && isKind(last, 'remove-replaced', 'keep-aside') ? last : undefined;
    this.#early = sharedService(making.service)
      ? []
      : steps.filter((step) => isKind(step, 'create', 'remove-leftover'));
    this.#waits = steps.filter((step) => isKind(step, 'wait'));
    this.#restarts = steps.filter((step) => step.kind === 'restart');
    const apart = new Set([this.#end, ...this.#early, ...this.#waits, ...this.#restarts]);
    this.#work = steps.filter((step) => !apart.has(step));
  }

  get awaitsVerdict(): boolean {
    return this.#end !== undefined && this.#waits.length > 0;
  }

  /** Up to where its container runs. */
  start(): Promise<boolean> {
    return this.#guard(() => this.#making.hands.turn.hold(() => this.#bringUp()), this.#steps);
  }

  /** Up to where it is healthy, and what it replaced is gone. */
  settle(): Promise<boolean> {
    const left = this.#end ? [...this.#waits, this.#end] : this.#waits;
    return this.#guard(() => this.#prove(), left);
  }

  async #bringUp(): Promise<void> {
    const { service, hands } = this.#making;
    if (this.#around.obstacle !== undefined) throw this.#around.obstacle;
    await this.#apply(this.#early);
    if (this.#work.some(({ kind }) => kind !== 'keep') && hasDependencies(service)) {
      if (await hands.turn.pause(() => this.#isLeftBy(sharedService(service)))) return this.#stay();
      await hands.turn.pause(() => this.#dependencies());
    }
    await this.#apply(this.#work);
    for (const step of this.#restarts) {
      const up = await hands.turn.pause(
        async () => (await this.#around.courses.get(step.after)?.settled) ?? true,
      );
      if (up) await this.#apply([step]);
      else this.#around.recorder.skip([step]);
    }
  }

  async #prove(): Promise<void> {
    const { service, hands, loading } = this.#making;
    if (this.#untouched) return;
    await this.#apply(this.#waits);
    const end = this.#end;
    if (!end) return;
    // From here on, nothing that fails is the new container's fault.
    this.#making.wayBack = undefined;
    const unproven = loading.includes(service.name) && end.kind === 'remove-replaced';
    await hands.turn.hold(() => this.#apply([unproven ? staying(service, end) : end]));
  }

  async #apply(some: readonly ServiceStep[]): Promise<void> {
    for (const step of some) {
      await this.#around.recorder.run(step, () => applyServiceStep(step, this.#making));
    }
  }

  async #guard(work: () => Promise<void>, left: readonly ServiceStep[]): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.#around.failures.set(this.#making.service.name, await this.#afterFailure(error));
      this.#around.recorder.skip(left);
      return false;
    }
  }

  /** Goes back to the container before, where there is one. Answers the error to end with. */
  async #afterFailure(error: unknown): Promise<unknown> {
    const { service, hands, ids, wayBack } = this.#making;
    const { engine, signal, turn } = hands;
    if (!wayBack || isUnreachable(error)) return error;
    this.#making.wayBack = undefined;
    try {
      // An interruption is no verdict, but who gave up waiting wants what served before.
      if (!signal.aborted && wayBack.replacement && (await wasStopped(engine, wayBack.replacement))) {
        return stoppedMeanwhile(service, error);
      }
      const because = reasonOf(signal.aborted ? signal.reason : error);
      const problems = await turn.hold(() => this.#goBack(wayBack, because));
      ids.set(service.name, wayBack.old.id);
      this.#around.wentBack.add(service.name);
      if (!signal.aborted && wayBack.starts) await this.#apply([waitForOld(service)]);
      return wentBack(error, service.name, problems);
    } catch (why) {
      return isUnreachable(why) ? why : notBack(error, why, wayBack);
    }
  }

  async #goBack(way: WayBack, because: string): Promise<unknown[]> {
    const { service, hands } = this.#making;
    const { id, name, restart } = way.old;
    const step: StartStep = { kind: 'go-back', service: service.name, id, name, to: name, restart, because };
    let problems: unknown[] = [];
    const work = async () => {
      problems = await goBack(hands.engine, way, service.containerName);
    };
    await this.#around.recorder.run(step, work, { evenAborted: true });
    return problems;
  }

  /** Whether the service whose network this one shares went back, so that this one's container stays what it is. */
  async #isLeftBy(shared: string | undefined): Promise<boolean> {
    if (!shared || ((await this.#around.courses.get(shared)?.started) ?? true)) return false;
    if (this.#steps.some(({ kind }) => kind === 'replace') && this.#around.wentBack.has(shared)) return true;
    throw this.#leftAsItIs(`it shares the network of ${shared}`, shared);
  }

  /** A container loses the network that it shares when the other's container stops; it gets that back when it starts anew. */
  async #stay(): Promise<void> {
    const { service, observed } = this.#making;
    const after = sharedService(service) ?? '';
    const replaced = new Set(this.#steps.flatMap((step) => (step.kind === 'replace' ? step.id : [])));
    const runs = observed.containers.filter(({ id, state }) => replaced.has(id) && state === 'running');
    if (runs.length === 0) throw this.#leftAsItIs(`it shares the network of ${after}`, after, 'not started');
    this.#untouched = true;
    this.#around.recorder.skip(this.#steps);
    for (const { id } of runs) {
      const because = `${after}, whose network it shares, went back to the container before`;
      await this.#apply([{ kind: 'restart', service: service.name, id, after, because }]);
    }
  }

  /** `on`: whose log may tell why. */
  #leftAsItIs(because: string, on: string, fate?: 'not started'): AixclError {
    const { name } = this.#making.service;
    const left = this.#steps.some(({ kind }) => kind === 'replace') ? 'left as it is' : 'not started';
    return new AixclError('unhealthy', `${name} was ${fate ?? left}: ${because}, which did not come up`, {
      hint: `aixcl service logs ${on}`,
    });
  }

  async #dependencies(): Promise<void> {
    const { service, ids, hands } = this.#making;
    const options = { timeoutMs: hands.waitTimeoutMs, signal: hands.signal };
    const wants = [...service.dependsOn].map(async ([name, { condition, required }]) => {
      const course = this.#around.courses.get(name);
      if (!course) return;
      const up = await (condition === 'service_healthy' ? course.settled : course.started);
      if (!up && required) throw this.#leftAsItIs(`it depends on ${name}`, name);
      const id = ids.get(name);
      if (!up || !id) return;
      if (condition === 'service_healthy') await awaitReady(hands.engine, id, options);
      if (condition === 'service_completed_successfully') await awaitCompletion(hands.engine, id, options);
    });
    await Promise.all(wants);
  }
}

function isKind({ kind }: ServiceStep, ...kinds: readonly Kind[]): boolean {
  return kinds.includes(kind);
}

function hasDependencies(service: ServiceDefinition): boolean {
  return service.dependsOn.size > 0 || sharedService(service) !== undefined;
}

function waitForOld({ name, healthcheck }: ServiceDefinition): ServiceStep {
  return { kind: 'wait', service: name, byHealth: healthcheck !== undefined, because: 'it went back' };
}

/** Nobody asked for it to be started again. */
function stoppedMeanwhile({ name }: ServiceDefinition, error: unknown): AixclError {
  return new AixclError('unhealthy', `${reasonOf(error)}: someone stopped it while aixcl waited for it`, {
    hint: `aixcl service start ${name}`,
    cause: error,
  });
}

function isUnreachable(error: unknown): boolean {
  return error instanceof AixclError && error.code === 'engineUnreachable';
}
