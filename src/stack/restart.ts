import { AixclError } from '../errors.ts';
import type { Note } from '../plan/journal.ts';
import type { StepOutcome } from '../plan/step.ts';
import type { ServiceDefinition, StackDefinition } from './definition/types.ts';
import type { ContainerSummary, Engine } from './engine.ts';
import { wordsOf } from './health-probe.ts';
import { identityOf } from './observe.ts';
import { awaitReady } from './readiness.ts';
import { isOurs, matches } from './recreate/container-ref.ts';
import { isInterrupted, theOne } from './recreate/mend.ts';
import { definedData, keepsOtherData } from './recreate/own-data.ts';

export interface RestartStep {
  readonly kind: 'restart' | 'rename';
  readonly container: ContainerSummary;
  /** Name to give. */
  readonly to?: string;
  readonly because: string;
}

/** Those of the services whose recreate was interrupted. What is to become of them takes more than a restart: a start settles it. */
export function interrupted(
  definition: StackDefinition,
  services: readonly ServiceDefinition[],
  containers: readonly ContainerSummary[],
): string[] {
  return services.flatMap((service) => {
    const identity = identityOf(definition, service);
    return isInterrupted(identity, matches(identity, containers)) ? [service.name] : [];
  });
}

export interface RestartWish {
  /** Services that were asked for by name; empty: all. */
  readonly named: readonly string[];
  /** Services that run anew already. */
  readonly anew: ReadonlySet<string>;
}

/** Restarts those named, else every container of the stack; one under another name than its own gets that back, where it is free. */
export function planRestart(
  definition: StackDefinition,
  services: readonly ServiceDefinition[],
  containers: readonly ContainerSummary[],
  { named, anew }: RestartWish,
): RestartStep[] {
  const steps = services.flatMap((service): RestartStep[] => {
    if (anew.has(service.name)) return [];
    const match = theOne(identityOf(definition, service), containers);
    const wanted = named.includes(service.name);
    if (!match && wanted) {
      throw new AixclError('notFound', `${service.name} has no container to restart`, {
        hint: `aixcl service start ${service.name}`,
      });
    }
    if (!match || (!wanted && !isOurs(match))) return [];
    const { container } = match;
    const isFree = !containers.some(({ name }) => name === service.containerName);
    // Whoever made it: a container that keeps its data elsewhere is another one, whatever it was called.
    const isIts = isOurs(match) || !keepsOtherData(container, definedData(definition, service));
    const rename: RestartStep[] =
      isFree && isIts
        ? [{ kind: 'rename', container, to: service.containerName, because: 'it had another name' }]
        : [];
    return [...rename, { kind: 'restart', container, because: 'it was asked for' }];
  });
  if (steps.length === 0 && anew.size === 0) {
    throw new AixclError('notFound', 'the stack has no containers to restart', { hint: 'aixcl stack start' });
  }
  return steps;
}

export interface RestartHands {
  readonly timeout: number | undefined;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  /** Called before each change. */
  readonly note: Note;
  readonly progress: {
    start(label: string): {
      update(change: { text: string }): void;
      succeed(text: string): void;
      fail(): void;
    };
  };
}

/** Carries it out in order. */
export async function applyRestart(
  engine: Engine,
  plan: readonly RestartStep[],
  hands: RestartHands,
): Promise<StepOutcome[]> {
  const outcomes: StepOutcome[] = [];
  const names = new Map<string, string>();
  for (const { kind, container, to, because } of plan) {
    const target =
      kind === 'rename' ? `${container.name} → ${to}` : (names.get(container.id) ?? container.name);
    if (hands.dryRun) {
      outcomes.push({ kind, target, outcome: 'planned', because });
      continue;
    }
    hands.signal.throwIfAborted();
    await hands.note(kind, target, because);
    if (kind === 'rename' && to) {
      await engine.renameContainer(container.id, to);
      names.set(container.id, to);
    } else {
      await told(hands, `restart ${target}`, () => engine.restartContainer(container.id, hands.timeout));
    }
    outcomes.push({ kind, target, outcome: 'done', because });
  }
  return outcomes;
}

/** Waits until every container that was restarted is ready. */
export async function awaitRestarted(
  engine: Engine,
  plan: readonly RestartStep[],
  hands: Omit<RestartHands, 'dryRun' | 'timeout' | 'note'> & { readonly waitTimeoutMs: number },
): Promise<void> {
  const { signal, waitTimeoutMs: timeoutMs } = hands;
  const names = new Map(plan.flatMap(({ container, to }) => (to ? [[container.id, to] as const] : [])));
  const restarted = plan.filter(({ kind }) => kind === 'restart');
  await Promise.all(
    restarted.map(({ container }) =>
      told(hands, `wait for ${names.get(container.id) ?? container.name}`, async (update) => {
        const onDetail = (detail: string) => {
          const words = wordsOf(detail);
          if (words) update(words);
        };
        await awaitReady(engine, container.id, { timeoutMs, signal, onDetail });
      }),
    ),
  );
}

async function told(
  hands: Pick<RestartHands, 'progress'>,
  label: string,
  work: (update: (text: string) => void) => Promise<void>,
): Promise<void> {
  const task = hands.progress.start(label);
  try {
    await work((text) => task.update({ text }));
  } catch (error) {
    task.fail();
    throw error;
  }
  task.succeed('');
}
