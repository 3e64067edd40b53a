import type { Note } from '../plan/journal.ts';
import type { StepOutcome } from '../plan/step.ts';
import type { ServiceDefinition, StackDefinition } from './definition/types.ts';
import type { ContainerSummary, Engine } from './engine.ts';
import { identityOf } from './observe.ts';
import { isOurs } from './recreate/container-ref.ts';
import { theOne } from './recreate/mend.ts';

export interface StopStep {
  readonly kind: 'stop' | 'keep';
  readonly service: string;
  /** Absent where there is no container. */
  readonly container?: ContainerSummary;
  readonly because: string;
}

/**
 * What to stop, in the order of `services`. A container that only bears a service's name is stopped where that service was `named`;
 * otherwise it is nobody's business here.
 */
export function planStop(
  definition: StackDefinition,
  services: readonly ServiceDefinition[],
  containers: readonly ContainerSummary[],
  named: boolean,
): StopStep[] {
  return services.flatMap((service): StopStep[] => {
    const match = theOne(identityOf(definition, service), containers);
    if (!match)
      return named ? [{ kind: 'keep', service: service.name, because: 'there is no container for it' }] : [];
    const { container } = match;
    if (!isOurs(match) && !named) {
      return [
        {
          kind: 'keep',
          service: service.name,
          container,
          because: 'aixcl did not make it; name it to stop it',
        },
      ];
    }
    if (container.state !== 'running' && container.state !== 'restarting' && container.state !== 'paused') {
      return [{ kind: 'keep', service: service.name, container, because: `it is ${container.state}` }];
    }
    return [{ kind: 'stop', service: service.name, container, because: 'it runs' }];
  });
}

export interface StopHands {
  /** Seconds before a container is killed; undefined: its own. */
  readonly timeout: number | undefined;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  /** Called before each change. */
  readonly note: Note;
  readonly progress: { start(label: string): { succeed(): void; fail(): void } };
}

/** Stops one after the other, so that nothing runs without what it depends on. */
export async function applyStop(
  engine: Engine,
  plan: readonly StopStep[],
  hands: StopHands,
): Promise<StepOutcome[]> {
  const outcomes: StepOutcome[] = [];
  for (const { kind, service, container, because } of plan) {
    const target = container?.name ?? service;
    if (kind === 'keep' || !container) {
      outcomes.push({ kind, target, outcome: 'kept', because });
      continue;
    }
    if (hands.dryRun) {
      outcomes.push({ kind, target, outcome: 'planned', because });
      continue;
    }
    hands.signal.throwIfAborted();
    await hands.note(kind, target, because);
    const task = hands.progress.start(`stop ${target}`);
    try {
      await engine.stopContainer(container.id, hands.timeout);
    } catch (error) {
      task.fail();
      throw error;
    }
    task.succeed();
    outcomes.push({ kind, target, outcome: 'done', because });
  }
  return outcomes;
}
